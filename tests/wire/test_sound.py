"""How long a recording is: of plain WAV alone, and never shorter than it is."""

import pytest

from headgate.wire.sound import seconds
from tests.support.stand import wav


@pytest.mark.parametrize(("length", "rate"), [(0.1, 8_000), (1, 8_000), (2.5, 44_100), (61, 16_000)])
def test_plain_wav_says_how_long_it_is(length: float, rate: int) -> None:
    """In whole seconds, rounded up."""
    found = seconds(memoryview(wav(length, rate)))
    assert found is not None
    assert length <= found <= length + 1.01


def test_a_head_that_lies_about_its_size_changes_nothing() -> None:
    """All bytes count."""
    recording = bytearray(wav(10))
    recording[40:44] = bytes(4)
    assert seconds(memoryview(bytes(recording))) == 11


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"RIFX"),
        (8, b"AVI "),
        (20, b"\x55\x00"),
        (22, b"\0\0"),
        (24, b"\0\0\0\0"),
        (32, b"\x09\x00"),
        (34, b"\x04\x00"),
    ],
    ids=["endian", "kind", "mp3 inside", "no channel", "no rate", "block", "bits"],
)
def test_of_anything_else_nothing_is_said(at: int, value: bytes) -> None:
    """Compressed, broken, or not to be trusted."""
    recording = bytearray(wav(10))
    recording[at : at + len(value)] = value
    assert seconds(memoryview(bytes(recording))) is None
    assert seconds(memoryview(bytes(recording[:40]))) is None
