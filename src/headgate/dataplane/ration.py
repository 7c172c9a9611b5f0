"""A stream whose hold grows while it runs: how far the hold reaches, and what happens where it cannot grow.

What is held is always well ahead of what was delivered, counting a token for each byte, so that a stream which is cut
has not been billed more than it held, as far as its provider stopped when its connection was closed.
"""

from headgate.catalog.bound import UNSEEN_OUTPUT, Bounds
from headgate.dataplane.admit import amounts_of
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.ledger.allowance import Amounts
from headgate.ledger.hold import Denied
from headgate.ledger.journal import JournalUnavailable
from headgate.tenancy.admission import Streams
from headgate.wire.dialogue import Dialogue

PIECE = 512
"""Bytes of a provider's stream between two looks at the hold."""
AHEAD = 2 * PIECE + UNSEEN_OUTPUT
"""Tokens held beyond what was delivered: what the next piece may bring, an event that was waiting for its end, and
what is billed and never delivered."""
CUT = "allowance_reached"
"""The error in the usage record of a stream that was cut."""


def ration(call: Call, bounds: Bounds, books: Books) -> None:
    """Where the caller's rules are `adaptive`: the call holds its input and a first part of its output.

    A model that may bill tokens it never shows holds everything: nobody could see it go beyond its hold.
    """
    assert call.policy is not None
    assert call.head is not None
    assert call.dialogue is not None
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
        self.used_up = False
        """The hold could not grow: the stream is to be ended."""

    def feed(self, dialogue: Dialogue, data: bytes) -> bytes:
        """What may go to the client; all of it, unless the ration is used up on the way."""
        out = []
        for start in range(0, len(data), PIECE):
            out.append(dialogue.feed(data[start : start + PIECE]))
            if not dialogue.complete and not self._covers(dialogue):
                self._use_up(dialogue)
                break
        return b"".join(out)

    def _covers(self, dialogue: Dialogue) -> bool:
        need = self._most if dialogue.hidden_tokens else min(dialogue.delivered + AHEAD, self._most)
        if need <= self._held:
            return True
        return self._grow(min(max(need, self._held + self._step), self._most)) or self._grow(need)

    def _grow(self, output_tokens: int) -> bool:
        assert self._call.bound is not None
        bound = self._bounds.within(output_tokens)
        held, wanted = amounts_of(self._call.bound), amounts_of(bound)
        more = Amounts(0, 0, wanted.output_tokens - held.output_tokens, wanted.cost - held.cost)
        try:
            if isinstance(self._books.extend(self._call.request_id, more), Denied):
                return False
        except JournalUnavailable:
            return False
        self._call.bound, self._held = bound, output_tokens
        return True

    def _use_up(self, dialogue: Dialogue) -> None:
        """It is settled at what it held; where a single event brought more than that, at what was delivered."""
        self.used_up = True
        delivered = min(dialogue.delivered + UNSEEN_OUTPUT, self._most)
        if delivered > self._held:
            self._call.bound = self._bounds.within(delivered)
