"""One call's state, from its first byte to its usage record."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.catalog.bound import Bound
from headgate.dataplane.endpoints import Endpoint
from headgate.dataplane.remembered import Noting
from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.record import EarlierAttempt, Outcome, UsageRecord
from headgate.routing.plan import Plan, Target
from headgate.tenancy.checks.guard import Guard
from headgate.tenancy.policy import Policy
from headgate.tenancy.route_nodes import CacheRules
from headgate.wire.dialogue import Dialogue, Head, Outgoing
from headgate.wire.document import Document

if TYPE_CHECKING:
    from headgate.dataplane.ration import Ration
    from headgate.dataplane.turns import Turn


OK = 200
LET_THROUGH = 246
"""In its place (contract 2.2), where a guardrail failed and the call was let through."""
CLIENT_CLOSED_REQUEST = 499
"""What is recorded as the status of an answer nobody was there to receive."""


class Stop(StrEnum):
    """Why a call was ended from outside."""

    CLIENT_GONE = "client_gone"
    DRAINING = "draining"


_LATER: Final[Any] = None
"""Of what is not there before its step."""


class Call(msgspec.Struct, eq=False):
    """Filled from top to bottom as the steps go by. A struct, because it has fifty fields, and every call makes one.

    Times are nanoseconds.
    """

    request_id: str
    trace_id: str
    span_id: str
    """What the caller calls this step of the trace; empty: nothing."""
    endpoint: Endpoint
    started_at: int
    """Wall clock; once it holds, the moment of its hold, so that its record counts in the periods it was held in."""
    started: int
    """Monotonic."""
    task: asyncio.Task[None]
    known: Policy | None = None
    """Whose call it is, where that is known without a key: somebody who has signed in makes it from within."""
    policy: Policy = _LATER
    tenant: bytes = b""
    """For whom it is made, as the client is told; empty for no tenant."""
    document: Document = _LATER
    head: Head = _LATER
    metadata: dict[str, str] = {}
    config: str = ""
    """The slug of the stored config it takes: known from step 3 on."""
    prompt: str = ""
    """The slug of the stored prompt it was made from."""
    told: Sequence[tuple[bytes, bytes]] = ()
    """Headers that tell the client where its call went: from step 3 on."""
    plan: Plan = _LATER
    of_policies: tuple[Allowance, ...] = ()
    """Those of limit policies, which depend on its metadata and on where it goes."""
    allowances: Sequence[Allowance] = ()
    """All that apply to it: known from step 4 on."""
    noted: Noting | None = None
    """Is told under which ids the provider keeps something of it. None: nobody wants to know."""
    bound: Bound = _LATER
    """What it holds at most; what an adaptive stream holds by now."""
    max_tokens: int | None = None
    """The output limit it was clamped to."""
    ration: "Ration | None" = None
    """Of a stream whose hold grows as it goes."""
    unheard: UsageRecord = _LATER
    """Its record, should nothing more be heard of it once it holds."""
    held: bool = False
    dialogue: Dialogue = _LATER
    outgoing: Outgoing = _LATER
    """What is sent to the target it goes to."""
    attempts: int = 0
    earlier_attempts: tuple[EarlierAttempt, ...] = ()
    """Those that brought no answer, and after which another one was made."""
    counted: bool = False
    """An earlier attempt of it has a record of its own, and is the request that its caller made."""
    turn: "Turn | None" = None
    """Of the attempt it is at, where its target has a capacity; over once the call is settled."""
    sent: bool = False
    """Whether any byte may have reached a provider: from here on it may have billed."""
    first_byte: int | None = None
    """Monotonic."""
    status: int = 0
    """What the client got; 499 where it had gone."""
    outcome: Outcome = Outcome.OK
    error: str = ""
    flags: tuple[str, ...] = ()
    """What its usage record is to say besides."""
    input_guards: tuple[Guard, ...] = ()
    """What it is checked with itself: from step 3 on."""
    output_guards: tuple[Guard, ...] = ()
    """What its answer is checked with."""
    guardrails: tuple[str, ...] = ()
    """Those that failed, as flags for its usage record."""
    guardrails_told: tuple[str, ...] = ()
    """Of those, the slugs of the ones that the client is told of."""
    judged: tuple[tuple[Guard, str, bool], ...] = ()
    """Of those that give feedback: what they looked at, request or answer, and whether it passed."""
    standing: Sequence[tuple[bytes, bytes]] = ()
    """Headers that tell where the caller stands, for an answer of the gateway's own."""
    cache: CacheRules | None = None
    """Those of its config: from step 3 on."""
    cache_status: str = ""
    """What the cache said, once it was asked."""
    record_up_to: int = 0
    """Bytes of its answer that are kept beside what goes out, to be given again; 0: none."""
    stopped: Stop | None = None
    billed: bool = False
    """Whether a provider was paid for it, whatever became of its answer."""
    settled: Amounts | None = None
    record: UsageRecord | None = None
    """What was settled, and recorded; None where nothing was."""

    @property
    def target(self) -> Target:
        """Where it goes: known from step 3 on."""
        return self.plan.targets[0]

    @property
    def streams(self) -> bool:
        """Whether its answer is wanted piece by piece; not known before its request is read."""
        return self.head is not _LATER and self.head.stream

    def client_left(self) -> None:
        """The client has hung up; whatever comes after, this is how the call ended for it."""
        self.outcome, self.status = Outcome.CLIENT_GONE, CLIENT_CLOSED_REQUEST

    def status_told(self, status: int) -> int:
        """The status for the client, of an answer that a provider gave this one."""
        return LET_THROUGH if self.guardrails_told and status == OK else status

    def answered_with(self, status: int) -> None:
        """The client is being answered with this status."""
        if self.outcome is not Outcome.CLIENT_GONE:
            self.status = status

    def fail(self, error: HeadgateError, outcome: Outcome = Outcome.UPSTREAM_FAILED) -> None:
        """Remember how it went wrong. The first failure counts, and what a client that left never saw is not its
        status."""
        if self.error:
            return
        self.error = error.code or error.type
        if self.outcome is not Outcome.CLIENT_GONE:
            self.outcome, self.status = outcome, error.status

    def stop(self, why: Stop) -> None:
        """End the call from outside; its task sees a cancellation and finds the reason here."""
        if self.stopped is None:
            self.stopped = why
            self.task.cancel()
