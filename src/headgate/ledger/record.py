"""The usage record: the immutable fact about one call."""

from enum import StrEnum
from typing import Final

import msgspec


class Outcome(StrEnum):
    """How a call ended."""

    OK = "ok"
    PROVIDER_ERROR = "provider_error"
    """The provider answered with an error status."""
    UPSTREAM_FAILED = "upstream_failed"
    """No answer, or one that broke off."""
    CLIENT_GONE = "client_gone"
    DENIED = "denied"
    """Answered, and kept back by a guardrail."""
    CUT = "cut"
    """Ended by us: out of allowance or draining."""
    RECOVERED = "recovered"
    """Found unfinished at start and settled at what it held."""


HIT: Final = "HIT"
"""The cache status of a call that was given an answer from memory: no provider was asked."""


class EarlierAttempt(msgspec.Struct, frozen=True):
    """A target that was tried before, for the same call, and answered with no success."""

    provider: str
    """The slug in the workspace."""
    model: str
    status: int
    """The HTTP status it answered with; 0: it did not answer."""
    took: int
    """Nanoseconds."""
    error: str = ""
    """What went wrong where it did not answer."""


class UsageRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call a provider may have billed. Written once, by request id; balances are sums over these.

    Times are nanoseconds. `started_at` is the wall clock when it was held, and says in which periods it counts; the
    others are durations since it arrived, which is earlier by the reading of its body and what it waited for room.
    Money is nano-dollars. Names and slugs are copies as of the call: renaming something does not rewrite history.
    """

    request_id: str
    trace_id: str
    organization_id: str
    workspace_id: str
    key_id: str
    tenant_id: str | None = None
    integration_id: str
    provider: str
    """The slug in the workspace."""
    provider_kind: str
    endpoint: str
    """For example `/v1/chat/completions`."""
    model_asked: str
    model: str
    """What was sent to the provider."""
    stream: bool
    started_at: int
    first_byte_after: int | None = None
    ended_after: int
    outcome: Outcome
    status: int
    """The HTTP status the client got; 499 where it had gone."""
    attempts: int = 1
    """How often a provider had been asked for the call when this one answered or failed."""
    requests: int = 1
    """How many requests of its callers it is: 0 after an earlier attempt of the same call that has a record too."""
    usage: dict[str, int] = {}
    usage_source: str = "provider"
    usage_flags: tuple[str, ...] = ()
    usage_raw: str = ""
    cost: int = 0
    cost_lines: tuple[tuple[str, int, int, int], ...] = ()
    """(meter, count, nano-dollars per million, nano-dollars)"""
    price_id: str = ""
    metadata: dict[str, str] = {}
    error: str = ""
    earlier_attempts: tuple[EarlierAttempt, ...] = ()
    """Those of them that came before, the first one first."""
    cache_status: str = ""
    """What the answer cache said: `HIT`, `MISS` or `REFRESH`; empty where it was not asked."""
    config: str = ""
    """The slug of the stored config it took; empty: none, or one of its own."""
    prompt: str = ""
    """The slug of the stored prompt it was made from."""
    span_id: str = ""
    """What its caller calls this step of the trace."""
    held_after: int | None = None
    """When it held what its target could cost, and was let go there."""
    held: tuple[int, ...] = ()
    """Input tokens, output tokens and cost that it held on every one of its allowances; empty where no target was held
    for."""
