"""The `usage` object of OpenAI's family, taken apart into disjoint meters.

Sources: the API references of OpenAI (chat completions, embeddings, responses), DeepSeek (`prompt_cache_hit_tokens`),
Moonshot (`cached_tokens` beside the totals), OpenRouter (`cache_write_tokens` is part of `prompt_tokens`: only so does
its own `cost` add up), xAI and Google's compatible endpoint (reasoning is beside `completion_tokens`; the total tells).
Mistral's `num_cached_tokens` is what its servers happened to reuse, not what it bills as cached: it is not counted.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from headgate.base import usage as meters
from headgate.base.usage import Usage
from headgate.wire.figures import MAX_COUNT, Figures, report, usage_object
from headgate.wire.openai_chat.usual_usage import ChatUsage, UsualUsage


class Words(NamedTuple):
    """The same figures go by other names in the Responses API."""

    input: str
    output: str
    input_details: str
    output_details: str
    usual: Callable[[bytes], UsualUsage]


CHAT: Final = Words(
    "prompt_tokens",
    "completion_tokens",
    "prompt_tokens_details",
    "completion_tokens_details",
    msgspec.json.Decoder(ChatUsage).decode,
)


def read_usage(usage: bytes | Mapping[str, Any] | None, words: Words = CHAT, *, terms: object = None) -> Usage | None:
    """None if there is no usage object, or one without a single total. Never raises.

    `terms` is the answer's `service_tier`, which stands beside the usage object.
    """
    if isinstance(usage, bytes):
        counts = _usual_counts(usage, words)
        if counts is not None:
            return Usage(counts, raw=usage, terms=terms if isinstance(terms, str) else None)
    opened = usage_object(usage)
    if opened is None:
        return None
    raw, members = opened
    figures = Figures(members)
    total = figures.count("total_tokens")
    given = figures.count(words.input), figures.count(words.output)
    if words.input not in figures and words.output not in figures and not total:
        return None
    counts = _input_meters(figures, words, _input_total(figures, words, given, total))
    counts |= _output_meters(figures, words, given, total)
    return report(counts, figures, raw, terms)


def _usual_counts(usage: bytes, words: Words) -> dict[str, int] | None:
    try:
        return words.usual(usage).counts()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _input_total(figures: Figures, words: Words, given: tuple[int, int], total: int) -> int:
    if words.input in figures:
        return given[0]
    figures.flags[f"missing:{words.input}"] = None
    hits_and_misses = figures.count("prompt_cache_hit_tokens") + figures.count("prompt_cache_miss_tokens")
    return hits_and_misses or max(0, total - given[1])


def _input_meters(figures: Figures, words: Words, total: int) -> dict[str, int]:
    """Everything but plain input is part of the total; what these leave is plain input."""
    details = figures.object(words.input_details)
    counts, left = {}, total
    for meter, holder, name in (
        (meters.CACHE_READ, *_cached(figures, details)),
        (meters.CACHE_WRITE, details, "cache_write_tokens"),
        (meters.INPUT_AUDIO, details, "audio_tokens"),
        (meters.INPUT_IMAGE, details, "image_tokens"),
    ):
        counts[meter] = holder.portion(name, left)
        left -= counts[meter]
    return {meters.INPUT: left, **counts}


def _cached(figures: Figures, details: Figures) -> tuple[Figures, str]:
    if "cached_tokens" in details:
        return details, "cached_tokens"
    return figures, "prompt_cache_hit_tokens" if "prompt_cache_hit_tokens" in figures else "cached_tokens"


def _output_meters(figures: Figures, words: Words, given: tuple[int, int], total: int) -> dict[str, int]:
    details = figures.object(words.output_details)
    left = given[1]
    # A total beyond its parts means that the provider bills tokens it does not count as completion: its reasoning.
    outside = max(0, total - sum(given)) if 0 < total < MAX_COUNT and words.input in figures else 0
    if outside:
        figures.flags[f"outside:{words.output}" if words.output in figures else f"missing:{words.output}"] = None
    elif not total and details.count("reasoning_tokens") > left:
        outside = details.count("reasoning_tokens")
    left += outside
    counts = {}
    if "reasoning_tokens" in details:
        counts[meters.REASONING] = details.portion("reasoning_tokens", left)
    else:
        counts[meters.REASONING] = outside if words.output in figures else 0
    left -= counts[meters.REASONING]
    for meter, name in ((meters.OUTPUT_AUDIO, "audio_tokens"), (meters.OUTPUT_IMAGE, "image_tokens")):
        counts[meter] = details.portion(name, left)
        left -= counts[meter]
    return {meters.OUTPUT: left, **counts}
