"""What one call used, in disjoint meters: no token is counted under two of them.

Providers report overlapping totals (OpenAI's `prompt_tokens` contains the cached ones, Anthropic's `input_tokens`
does not). The wire formats take those apart, so that cost is a plain sum of `count x price` over the meters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

# Input tokens
INPUT: Final = "input"
CACHE_READ: Final = "cache_read"
CACHE_WRITE: Final = "cache_write"  # kept for five minutes, or for the provider's only lifetime
CACHE_WRITE_1H: Final = "cache_write_1h"
INPUT_AUDIO: Final = "input_audio"
CACHE_READ_AUDIO: Final = "cache_read_audio"
INPUT_IMAGE: Final = "input_image"
# Output tokens
OUTPUT: Final = "output"
REASONING: Final = "reasoning"
OUTPUT_AUDIO: Final = "output_audio"
OUTPUT_IMAGE: Final = "output_image"
# Things counted one by one
REQUEST: Final = "request"
WEB_SEARCH: Final = "web_search"
IMAGE: Final = "image"
"""Of what was made. Priced by quality and size it is `image:hd:1024x1024`."""
CHARACTER: Final = "character"
AUDIO_SECOND: Final = "audio_second"
SEARCH_UNIT: Final = "search_unit"
"""Of a reranking: one question, and at most a hundred documents."""

INPUT_METERS: Final = (INPUT, CACHE_READ, CACHE_WRITE, CACHE_WRITE_1H, INPUT_AUDIO, CACHE_READ_AUDIO, INPUT_IMAGE)
OUTPUT_METERS: Final = (OUTPUT, REASONING, OUTPUT_AUDIO, OUTPUT_IMAGE)


class UsageSource(StrEnum):
    """Who says so: the provider; the gateway, because the request shows it (characters, seconds of sound); or our own
    upper bound because nobody said anything."""

    PROVIDER = "provider"
    COUNTED = "counted"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Usage:
    """The meters of one call. Counts are never negative; a meter that is absent is zero.

    `counts` may hold meters beyond the ones named in this module (a provider's own server tools, as `tool:<name>`):
    they are priced by name like all others.
    `raw` is the provider's own usage object, as it came, so that any figure can be traced to its source.
    """

    counts: Mapping[str, int]
    source: UsageSource = UsageSource.PROVIDER
    raw: bytes = b""
    flags: tuple[str, ...] = field(default=())
    """What was wrong with the provider's figures and how it was mended, for example `negative:prompt_tokens`."""

    terms: str | None = None
    """The terms under which the provider says it served the call: `default`, `flex`, `priority`, `fast` ..."""

    @property
    def input_tokens(self) -> int:
        return self.tokens()[0]

    @property
    def output_tokens(self) -> int:
        return self.tokens()[1]

    @property
    def total_tokens(self) -> int:
        return sum(self.tokens())

    def tokens(self) -> tuple[int, int]:
        """Of input and of output."""
        into = out = 0
        for meter, count in self.counts.items():
            if meter in _INPUT:
                into += count
            elif meter in _OUTPUT:
                out += count
        return into, out


_INPUT: Final = frozenset(INPUT_METERS)
_OUTPUT: Final = frozenset(OUTPUT_METERS)
