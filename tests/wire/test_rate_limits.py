"""Rate limits as providers tell them, in each dialect."""

import pytest

from headgate.wire.rate_limits import RateTold, rates_told

NOON = 1_767_268_800 * 1_000_000_000
"""2026-01-01T12:00:00Z."""


def headers(**named: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]


def test_openai_and_those_that_do_as_it_does() -> None:
    """Durations with their units."""
    told = rates_told(
        headers(
            x_ratelimit_limit_requests="500",
            x_ratelimit_remaining_requests="499",
            x_ratelimit_reset_requests="120ms",
            x_ratelimit_limit_tokens="30000",
            x_ratelimit_remaining_tokens="29000",
            x_ratelimit_reset_tokens="6m0s",
        ),
        NOON,
    )
    assert told == [RateTold("requests", 500, 499, 0.12), RateTold("tokens", 30_000, 29_000, 360)]


def test_anthropic() -> None:
    """Dates."""
    told = rates_told(
        headers(
            anthropic_ratelimit_requests_limit="50",
            anthropic_ratelimit_requests_remaining="0",
            anthropic_ratelimit_requests_reset="2026-01-01T12:00:30Z",
        ),
        NOON,
    )
    assert told == [RateTold("requests", 50, 0, 30)]


@pytest.mark.parametrize(
    "found",
    [
        headers(),
        headers(x_ratelimit_limit_requests="500"),
        headers(x_ratelimit_limit_requests="many", x_ratelimit_remaining_requests="3"),
        headers(x_ratelimit_limit_requests="0", x_ratelimit_remaining_requests="0"),
        headers(x_ratelimit_limit_requests="9" * 40, x_ratelimit_remaining_requests="-1"),
    ],
    ids=["none", "half", "words", "zero", "absurd"],
)
def test_what_says_nothing_is_nothing(found: list[tuple[bytes, bytes]]) -> None:
    """Without a whole limit and what is left of it nothing is learned; nothing a provider sends is an error."""
    assert rates_told(found, NOON) == []


def test_more_than_there_is_is_all_there_is() -> None:
    """And a reset nobody can read is none."""
    told = rates_told(
        headers(
            x_ratelimit_limit_tokens="10", x_ratelimit_remaining_tokens="99", x_ratelimit_reset_tokens="next tuesday"
        ),
        NOON,
    )
    assert told == [RateTold("tokens", 10, 10, 0)]
