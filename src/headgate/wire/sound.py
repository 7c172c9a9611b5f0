"""How long a recording is, where its bytes say so beyond doubt: uncompressed WAV."""

import struct
from typing import Final

_PCM: Final = frozenset({1, 3, 0xFFFE})
"""The codings whose length follows from their size: integers, floating point, and either with an extended head."""
_HEAD: Final = struct.Struct("<HHIIHH")


def seconds(recording: memoryview) -> int | None:
    """Whole seconds, rounded up; None where that does not follow from the bytes alone.

    All bytes behind the head count, whatever the file says its sound's size is.
    """
    head = bytes(recording[:44])
    if len(head) < 44 or head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt ":
        return None
    coding: int
    channels: int
    rate: int
    block: int
    bits: int
    coding, channels, rate, _, block, bits = _HEAD.unpack_from(head, 20)
    if coding not in _PCM or not rate or not channels or bits not in (8, 16, 24, 32, 64):
        return None
    if block != channels * bits // 8:
        return None
    return -(-len(recording) // (rate * block))
