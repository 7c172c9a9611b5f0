"""Moments as the contract writes them (ISO 8601 with an offset) and as the house keeps them (nanoseconds)."""

from datetime import UTC, datetime, timedelta
from typing import Final

from headgate.base.errors import InvalidRequest

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2262, 1, 1, tzinfo=UTC)
"""What comes later is more nanoseconds than 64 bits, and so databases, hold."""


def from_iso(value: object, param: str) -> int:
    """Nanoseconds since the epoch. Without an offset the text is taken as UTC. Raises `InvalidRequest` for what is no
    moment, or none between the years 1970 and 2262."""
    if isinstance(value, str) and "T" in value:
        value = value.replace(" ", "+")  # a plus sign that somebody forgot to encode
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        raise InvalidRequest(f"`{param}` must be a moment such as 2027-01-31T00:00:00Z.", param=param)
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if not _EPOCH <= found < _LAST:
        raise InvalidRequest(f"`{param}` must lie between the years 1970 and 2262.", param=param)
    return (found - _EPOCH) // timedelta(microseconds=1) * 1_000


def in_future(value: object, param: str, now: int, kept: int | None = None) -> int:
    """The same for a moment that is still to come, or is the one that is `kept`, sent back as it was shown."""
    found = from_iso(value, param)
    if kept is not None and to_iso(found) == to_iso(kept):
        return kept
    if found <= now:
        raise InvalidRequest(f"`{param}` must be in the future.", param=param)
    return found


def end(expires_at: object, now: int, kept: int | None) -> int | None:
    """From `expires_at`; null: never."""
    return None if expires_at is None else in_future(expires_at, "expires_at", now, kept)


def to_iso(nanoseconds: int) -> str:
    """In UTC, to the millisecond: `2027-01-31T00:00:00.000Z`."""
    return moment(nanoseconds).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def moment(nanoseconds: int) -> datetime:
    """In UTC, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1_000)
