"""A stream whose hold grows while it runs: how far the hold reaches, and what happens where it cannot grow.

What is held is kept ahead of what has come, counting a token for each byte. So a stream goes beyond its hold only by
what was under way to the gateway when it hung up on the provider; as far as that was read, it is delivered and counted.
"""

from headgate.catalog.bound import UNSEEN_OUTPUT, Bound, Bounds
from headgate.dataplane.admit import amounts_of
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.ledger.allowance import Amounts
from headgate.ledger.hold import Denied, Held
from headgate.ledger.journal import JournalUnavailable
from headgate.tenancy.admission import Streams
from headgate.wire.dialogue import Dialogue

AHEAD = 1_024 + UNSEEN_OUTPUT
"""Tokens held beyond what has come: for what comes next, and for what is billed and never delivered."""
CUT = "allowance_reached"
"""The error in the usage record of a stream that was cut."""


def ration(call: Call, bounds: Bounds, books: Books) -> None:
    """Where the caller's rules are `adaptive`: the call holds its input and a first part of its output.

    A model that may bill tokens it never shows holds everything: nobody could see it go beyond its hold.
    """
    rules = call.policy.admission
    first = rules.first_hold_tokens
    if rules.streams is not Streams.ADAPTIVE or not call.head.stream or call.dialogue.hidden_tokens:
        return
    if first < bounds.whole().output_tokens:
        call.bound = bounds.within(first)
        call.ration = Ration(call, bounds, first, books)


class Ration:
    """Of one stream."""

    def __init__(self, call: Call, bounds: Bounds, step: int, books: Books) -> None:
        self._call = call
        self._bounds = bounds
        self._step = step
        self._most = bounds.whole().output_tokens
        self._held = step
        self._books = books
        self._pending = 0  # bytes of an event that has not ended: what they hold shows only then
        self.lacks = False
        """The hold could not grow here: other processes are to be asked before more is read."""
        self.used_up = False
        """The hold could not grow: the stream is to be ended."""

    def feed(self, dialogue: Dialogue, data: bytes) -> bytes:
        """What may go to the client. It has been billed, so it goes even where the ration is used up with it."""
        out = dialogue.feed(data)
        self._pending = 0 if out else self._pending + len(data)
        if not dialogue.complete and not self._covers(dialogue):
            if self._books.lending is None:
                self._use_up(dialogue)
            else:
                self.lacks = True
        return out

    @property
    def holds_up(self) -> bool:
        """Nothing more may be read for now."""
        return self.lacks or self.used_up

    async def catch_up(self, dialogue: Dialogue) -> None:
        """Where it lacks: hold what comes next with what other processes can spare. Used up where that is nothing."""
        if not self.lacks:
            return
        self.lacks, lending = False, self._books.lending
        assert lending is not None
        need, step = self._needs(dialogue)
        for output_tokens in (step, need):
            bound, more = self._more(output_tokens)
            try:
                found = await lending.extend(self._call.request_id, more)
            except JournalUnavailable:
                break
            if isinstance(found, Held):
                self._call.bound, self._held = bound, output_tokens
                return
        self._use_up(dialogue)

    def _needs(self, dialogue: Dialogue) -> tuple[int, int]:
        """The output tokens to hold at least, and rather."""
        need = self._most if dialogue.hidden_tokens else min(dialogue.delivered + self._pending + AHEAD, self._most)
        return need, min(max(need, self._held + self._step), self._most)

    def _covers(self, dialogue: Dialogue) -> bool:
        need, step = self._needs(dialogue)
        return need <= self._held or self._grow(step) or (need < step and self._grow(need))

    def _more(self, output_tokens: int) -> tuple[Bound, Amounts]:
        bound = self._bounds.within(output_tokens)
        held, wanted = amounts_of(self._call.bound), amounts_of(bound)
        return bound, Amounts(0, 0, wanted.output_tokens - held.output_tokens, wanted.cost - held.cost)

    def _grow(self, output_tokens: int) -> bool:
        bound, more = self._more(output_tokens)
        try:
            if isinstance(self._books.extend(self._call.request_id, more), Denied):
                return False
        except JournalUnavailable:
            return False
        self._call.bound, self._held = bound, output_tokens
        return True

    def _use_up(self, dialogue: Dialogue) -> None:
        """It is settled at what it held; where more than that has come, at what has come."""
        self.used_up = True
        come = min(dialogue.delivered + self._pending + UNSEEN_OUTPUT, self._most)
        if come > self._held:
            self._call.bound = self._bounds.within(come)
