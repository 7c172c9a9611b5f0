"""Gemini's `usageMetadata`. Every chunk of a stream reports totals, so the last one counts.

Source: Google's API reference. `promptTokenCount` contains the cached tokens; what tools put into the prompt and what
the model thought stand beside it and beside `candidatesTokenCount`.
"""

from collections.abc import Mapping
from typing import Any

from headgate.base import usage as meters
from headgate.base.usage import Usage
from headgate.wire.figures import MAX_COUNT, Figures, report, usage_object


def read_usage(metadata: bytes | Mapping[str, Any] | None, web_searches: int = 0) -> Usage | None:
    """None if there is no usage object, or one without a single total. Never raises."""
    opened = usage_object(metadata)
    if opened is None:
        return None
    raw, members = opened
    figures = Figures(members)
    if not any(name in figures for name in ("promptTokenCount", "candidatesTokenCount", "totalTokenCount")):
        return None
    prompt, tools = figures.count("promptTokenCount"), figures.count("toolUsePromptTokenCount")
    candidates, thoughts = figures.count("candidatesTokenCount"), figures.count("thoughtsTokenCount")
    total = figures.count("totalTokenCount")
    outside = max(0, total - prompt - tools - candidates - thoughts) if total < MAX_COUNT else 0
    if outside:
        # Early chunks leave `candidatesTokenCount` out; a total beyond all parts is thinking that is billed unshown.
        figures.flags["outside:totalTokenCount"] = None
    counts = _input_meters(figures, prompt)
    counts[meters.INPUT] += tools
    counts |= _output_meters(figures, candidates)
    counts[meters.REASONING] = thoughts + outside
    counts[meters.WEB_SEARCH] = web_searches
    return report(counts, figures, raw)


def _input_meters(figures: Figures, prompt: int) -> dict[str, int]:
    cached = figures.portion("cachedContentTokenCount", prompt)
    by_kind, cached_by_kind = _modalities(figures, "promptTokensDetails"), _modalities(figures, "cacheTokensDetails")
    cached_audio = min(cached, cached_by_kind.get("AUDIO", 0))
    left = prompt - cached
    audio = min(left, max(0, by_kind.get("AUDIO", 0) - cached_audio))
    image = min(left - audio, max(0, by_kind.get("IMAGE", 0) - cached_by_kind.get("IMAGE", 0)))
    return {
        meters.INPUT: left - audio - image,
        meters.CACHE_READ: cached - cached_audio,
        meters.CACHE_READ_AUDIO: cached_audio,
        meters.INPUT_AUDIO: audio,
        meters.INPUT_IMAGE: image,
    }


def _output_meters(figures: Figures, candidates: int) -> dict[str, int]:
    by_kind = _modalities(figures, "candidatesTokensDetails")
    audio = min(candidates, by_kind.get("AUDIO", 0))
    image = min(candidates - audio, by_kind.get("IMAGE", 0))
    return {meters.OUTPUT: candidates - audio - image, meters.OUTPUT_AUDIO: audio, meters.OUTPUT_IMAGE: image}


def _modalities(figures: Figures, name: str) -> dict[str, int]:
    """Token counts by modality: TEXT, IMAGE, AUDIO, VIDEO, DOCUMENT."""
    counts: dict[str, int] = {}
    for detail in figures.objects(name):
        modality = detail.text("modality")
        counts[modality] = counts.get(modality, 0) + detail.count("tokenCount")
    return counts


def web_searches(model: str, queries: int) -> int:
    """What Google bills for these search queries: models before Gemini 3 are billed by the grounded prompt."""
    before_3 = model.startswith(("gemini-1", "gemini-2"))
    return min(queries, 1) if before_3 else queries
