"""What a provider says of its rate limits: `x-ratelimit-*` (OpenAI, Groq and others) and `anthropic-ratelimit-*`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headgate.wire.retry_after import moment

KINDS: Final = ("requests", "tokens")
_DIALECTS: Final = ("x-ratelimit-{what}-{kind}", "anthropic-ratelimit-{kind}-{what}")


def _named(what: str) -> list[bytes]:
    return [dialect.format(what=what, kind=kind).encode() for dialect in _DIALECTS for kind in KINDS]


_NAMES: Final = tuple(zip(KINDS * 2, _named("limit"), _named("remaining"), _named("reset"), strict=True))


@dataclass(frozen=True, slots=True)
class RateTold:
    """Of one of its limits: how much there is, what is left of it, and in how many seconds all of it is back (0: it
    does not say)."""

    kind: str
    limit: int
    remaining: int
    reset_s: float


def rates_told(headers: Sequence[tuple[bytes, bytes]], now: int) -> list[RateTold]:
    """Names in lower case. `now` is the wall clock, nanoseconds."""
    found = dict(headers)
    told = []
    for kind, of_limit, of_remaining, of_reset in _NAMES:
        limit, remaining = _whole(found.get(of_limit)), _whole(found.get(of_remaining))
        if limit and remaining is not None:
            reset = moment(found.get(of_reset, b"").decode("latin-1").strip(), now)
            told.append(RateTold(kind, limit, min(remaining, limit), reset or 0))
    return told


def _whole(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) <= 15 else None
