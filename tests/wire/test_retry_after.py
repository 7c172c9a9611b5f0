"""How long a provider asks to be left alone, in every dialect."""

import json

import pytest

from headgate.wire.retry_after import retry_after

NOW = 1_790_000_000_000_000_000  # 2026-09-21T14:13:20Z

HEADERS: list[tuple[dict[str, str], float | None]] = [
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": "0.5"}, 0.5),
    ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
    ({"retry-after": "Mon, 21 Sep 2026 14:13:50 GMT"}, 30.0),
    ({"retry-after": "Mon, 21 Sep 2026 14:13:00 GMT"}, 0.0),
    ({"retry-after": "soon"}, None),
    ({"retry-after": "99999999"}, 86_400.0),
    ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
    ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
    ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "6m0s"}, None),
    (
        {
            "anthropic-ratelimit-requests-remaining": "10",
            "anthropic-ratelimit-requests-reset": "2026-09-21T15:00:00Z",
            "anthropic-ratelimit-input-tokens-remaining": "0",
            "anthropic-ratelimit-input-tokens-reset": "2026-09-21T14:13:32Z",
        },
        12.0,
    ),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), HEADERS)
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds, dates, durations; limits that still have room do not count."""
    assert retry_after([(name.encode(), value.encode()) for name, value in headers.items()], b"", NOW) == seconds


def test_google_says_it_in_the_body() -> None:
    """`RetryInfo` among the details of its error; a stream's error comes in a list."""
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36.5s"}
    error = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"x": 1}, detail]}}
    assert retry_after([], json.dumps(error).encode(), NOW) == 36.5
    assert retry_after([], json.dumps([error]).encode(), NOW) == 36.5


@pytest.mark.parametrize("body", [b'{"retryDelay', b'"retryDelay"', b'{"error": {"details": {"retryDelay": "1s"}}}'])
def test_a_body_of_another_shape_says_nothing(body: bytes) -> None:
    """And is never an error of ours."""
    assert retry_after([], body, NOW) is None
