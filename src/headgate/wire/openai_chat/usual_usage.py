"""A usage object as OpenAI's family mostly sends it: whole counts, of which the parts fit into their totals.

Its meters are those that `usage.read_usage` would find, which reads with distrust and mends what is not so, in a third
of the time. Where anything is unusual there are none, and the other reader has its turn.
"""

from typing import Annotated, Any, Final, Protocol

import msgspec

from headgate.base import usage as meters
from headgate.wire.figures import MAX_COUNT

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]


class UsualUsage(Protocol):
    def counts(self) -> dict[str, int] | None:
        """The meters that moved. None where the figures contradict one another, or stand in unusual places."""
        ...


class InputDetails(msgspec.Struct, gc=False):
    cached_tokens: Count = 0
    audio_tokens: Count = 0
    image_tokens: Count = 0
    cache_write_tokens: Count = 0


class OutputDetails(msgspec.Struct, gc=False):
    reasoning_tokens: Count = 0
    audio_tokens: Count = 0
    image_tokens: Count = 0


class ChatUsage(msgspec.Struct, gc=False):
    """Of chat and text completions, and of embeddings."""

    prompt_tokens: Count
    total_tokens: Count
    completion_tokens: Count = 0
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None
    prompt_cache_hit_tokens: Any = None
    cached_tokens: Any = None

    def counts(self) -> dict[str, int] | None:
        if self.prompt_cache_hit_tokens is not None or self.cached_tokens is not None:
            return None
        if self.total_tokens != self.prompt_tokens + self.completion_tokens:
            return None
        return _counts(
            self.prompt_tokens, self.prompt_tokens_details, self.completion_tokens, self.completion_tokens_details
        )


class ResponsesUsage(msgspec.Struct, gc=False):
    """Of responses."""

    input_tokens: Count
    total_tokens: Count
    output_tokens: Count = 0
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None
    prompt_cache_hit_tokens: Any = None
    cached_tokens: Any = None

    def counts(self) -> dict[str, int] | None:
        if self.prompt_cache_hit_tokens is not None or self.cached_tokens is not None:
            return None
        if self.total_tokens != self.input_tokens + self.output_tokens:
            return None
        return _counts(self.input_tokens, self.input_tokens_details, self.output_tokens, self.output_tokens_details)


def _counts(
    into: int, of_input: InputDetails | None, out: int, of_output: OutputDetails | None
) -> dict[str, int] | None:
    """None if parts exceed their total, or there is nothing. Written out: a loop over pairs costs twice the time."""
    i, o = of_input or _NO_INPUT_DETAILS, of_output or _NO_OUTPUT_DETAILS
    plain = into - i.cached_tokens - i.cache_write_tokens - i.audio_tokens - i.image_tokens
    text = out - o.reasoning_tokens - o.audio_tokens - o.image_tokens
    if plain < 0 or text < 0:
        return None
    counts = {}
    if plain:
        counts[meters.INPUT] = plain
    if i.cached_tokens:
        counts[meters.CACHE_READ] = i.cached_tokens
    if i.cache_write_tokens:
        counts[meters.CACHE_WRITE] = i.cache_write_tokens
    if i.audio_tokens:
        counts[meters.INPUT_AUDIO] = i.audio_tokens
    if i.image_tokens:
        counts[meters.INPUT_IMAGE] = i.image_tokens
    if text:
        counts[meters.OUTPUT] = text
    if o.reasoning_tokens:
        counts[meters.REASONING] = o.reasoning_tokens
    if o.audio_tokens:
        counts[meters.OUTPUT_AUDIO] = o.audio_tokens
    if o.image_tokens:
        counts[meters.OUTPUT_IMAGE] = o.image_tokens
    return counts or None


_NO_INPUT_DETAILS: Final = InputDetails()
_NO_OUTPUT_DETAILS: Final = OutputDetails()
