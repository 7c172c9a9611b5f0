"""Latencies as histograms that are text, so that a database merges them by writing one behind the other.

Each slot has a character; a number behind it says how often, where that is not once: `ab3a` is two in slot `a` and
three in slot `b`. There are four slots to each doubling, from 1 ms to 15 minutes: a percentile that is read from a
histogram is off by 9 % at most.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from string import ascii_letters
from typing import Final

from headgate.base.clock import NANOS_PER_MS

_PER_DOUBLING: Final = 4
SLOTS: Final = ascii_letters + "!#$&()*+,-./;<=>?@[]^_{|}~:%`"
"""The first is for what took less than 1 ms, the last for all beyond."""
BOUNDS: Final = tuple([round(NANOS_PER_MS * 2 ** (index / _PER_DOUBLING)) for index in range(len(SLOTS) - 1)])
"""Where each slot but the first begins, in nanoseconds."""
_MIDDLES: Final = (
    NANOS_PER_MS // 2,
    *(round(bound * 2 ** (0.5 / _PER_DOUBLING)) for bound in BOUNDS),
)
_FEW: Final = 200
_COUNTED: Final = re.compile(r"(\D)(\d+)")


def slot_of(nanoseconds: int) -> str:
    """The slot's character."""
    return SLOTS[bisect_right(BOUNDS, nanoseconds)]


def written(histogram: Mapping[str, int]) -> str:
    """As text, in no particular order."""
    return "".join([slot if count == 1 else f"{slot}{count}" for slot, count in histogram.items() if count])


def read(text: str) -> Counter[str]:
    """Of any number of histograms, one behind the other."""
    once = _COUNTED.sub("", text)
    # Looking for each slot is far faster than looking at each character, unless there are few.
    found = Counter(once) if len(once) < _FEW else Counter({slot: once.count(slot) for slot in SLOTS})
    for slot, count in _COUNTED.findall(text):
        found[slot] += int(count)
    return found


def tidy(text: str) -> str:
    """The same histogram, as short as can be."""
    return written(read(text))


def percentile(histogram: Mapping[str, int], percent: int) -> int:
    """The nanoseconds that so many of a hundred did not exceed; 0 where there are none."""
    rank = -(-sum(histogram.values()) * percent // 100)
    for slot, middle in zip(SLOTS, _MIDDLES, strict=True):
        rank -= histogram.get(slot, 0)
        if rank <= 0:
            return middle if histogram else 0
    raise AssertionError("a histogram with slots that are not known")
