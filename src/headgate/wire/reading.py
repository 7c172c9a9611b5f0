"""A provider's JSON read into typed structs, on the hot path, where its shape is a hope and not a promise."""

from typing import Final, TypeVar

import msgspec

from headgate.base.errors import UpstreamFailed

T = TypeVar("T")

ABSENT: Final = msgspec.Raw()
"""The default of a member that is kept as it came."""


NOTHING: Final = (ABSENT, msgspec.Raw(b"null"))


def given(raw: msgspec.Raw) -> bytes:
    """The member as it came; empty if it is absent or null."""
    return b"" if raw in NOTHING else bytes(raw)


def read_answer(decoder: msgspec.json.Decoder[T], body: bytes) -> T | None:
    """None if it is JSON of another shape. Raises `UpstreamFailed` if it is not JSON."""
    try:
        return decoder.decode(body)
    except (msgspec.ValidationError, UnicodeDecodeError):
        check_answer(body)  # the decoder stopped at the first thing it did not expect
        return None
    except (msgspec.DecodeError, RecursionError):
        raise _not_json() from None


def check_answer(body: bytes) -> None:
    """Raises `UpstreamFailed` if it is not JSON. Nothing is built."""
    try:
        _anything.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise _not_json() from None


def _not_json() -> UpstreamFailed:
    return UpstreamFailed("The provider's answer is not valid JSON.")


_anything: Final = msgspec.json.Decoder(msgspec.Raw)


def read_event(decoder: msgspec.json.Decoder[T], data: bytes) -> T | None:
    """None if it is no JSON, or of another shape."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
