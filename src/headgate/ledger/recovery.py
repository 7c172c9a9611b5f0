"""What a journal says after a crash: which calls were settled, which were left unfinished and what becomes of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.usage import INPUT, OUTPUT, UsageSource
from headgate.ledger.allowance import Amounts
from headgate.ledger.journal import DispatchEntry, Entry, ExtendEntry, HoldEntry, SettleEntry, VoidEntry
from headgate.ledger.record import Outcome, UsageRecord

LONGEST_CALL_S: Final = 86_400
"""The longest that the settings let a call take."""


@dataclass(slots=True)
class Unfinished:
    """A call that was neither settled nor voided. Without `unheard` it was never sent: nothing can have been billed."""

    request_id: str
    held: HoldEntry | None = None
    amounts: Amounts | None = None
    """All that it holds, extensions included."""
    unheard: UsageRecord | None = None


@dataclass(slots=True)
class Replay:
    """Entries in the order of the file, taken together by request id; one that comes twice changes nothing."""

    entries: int = 0
    torn: int = 0
    """Bytes at the end that were no whole entry: what a crash cut off. To be reported, never an error."""
    settled: dict[str, SettleEntry] = field(default_factory=dict)
    unfinished: dict[str, Unfinished] = field(default_factory=dict)

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.entries += 1
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        request_id = entry.request_id
        if isinstance(entry, SettleEntry):
            self.unfinished.pop(request_id, None)
            self.settled[request_id] = entry
            return
        if isinstance(entry, VoidEntry):
            self.unfinished.pop(request_id, None)
            return
        call = self.unfinished.get(request_id)
        if call is None:
            call = self.unfinished[request_id] = Unfinished(request_id)
        if isinstance(entry, HoldEntry):
            call.held = entry
            if call.amounts is None:
                call.amounts = entry.amounts
        elif isinstance(entry, ExtendEntry):
            call.amounts = entry.amounts
        elif isinstance(entry, DispatchEntry):
            call.unheard = entry.unheard
            if entry.held is not None:
                self._add(entry.held)

    def headless(self) -> list[str]:
        """Unfinished calls whose hold is missing. A whole journal has none."""
        return [call.request_id for call in self.unfinished.values() if call.held is None]

    def settlement(self, record: UsageRecord) -> SettleEntry:
        """Of one of `records`: what the journal would say had its call been settled so."""
        if (entry := self.settled.get(record.request_id)) is not None:
            return entry
        call = self.unfinished[record.request_id]
        assert call.held is not None
        assert call.amounts is not None
        return SettleEntry(record.request_id, call.held.at, call.amounts, call.held.allowances, record)

    def records(self, now: int) -> list[UsageRecord]:
        """The usage record of every call that a provider may have billed: as settled, or as `recovered` at `now`.

        Some may be in the database already: they are known by their request id.
        """
        records = [entry.record for entry in self.settled.values()]
        sent = ((call.unheard, call.amounts) for call in self.unfinished.values())
        records += [recovered(unheard, held, now) for unheard, held in sent if unheard and held]
        return records


def recovered(unheard: UsageRecord, held: Amounts, now: int) -> UsageRecord:
    """What is recorded of a call that was sent, and nothing more is known: all that it held, marked as such.

    It ended when it was found (`now`, wall clock in nanoseconds), for all that is known; and in any case after a day.
    """
    since = min(now - unheard.started_at, LONGEST_CALL_S * NANOS_PER_SECOND)
    return msgspec.structs.replace(
        unheard,
        ended_after=max(unheard.ended_after, since),
        outcome=Outcome.RECOVERED,
        usage={INPUT: held.input_tokens, OUTPUT: held.output_tokens},
        usage_source=UsageSource.ESTIMATED,
        cost=held.cost,
        cost_lines=(),
        held=(held.input_tokens, held.output_tokens, held.cost),
    )
