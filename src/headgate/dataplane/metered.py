"""The dialogue of a call that is not billed by text alone: its usage in the terms of the price it is charged at."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from headgate.base import usage as meters
from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.catalog.price import Price
from headgate.catalog.units import basis_of, charged
from headgate.dataplane.call import Call
from headgate.dataplane.guarded import guarded
from headgate.dataplane.recorded import Recorded
from headgate.dataplane.wrapped import Wrapped
from headgate.upstream.client import Answer
from headgate.wire.dialogue import Dialogue, Outgoing
from headgate.wire.form import Form

_IN_EVENTS: Final = frozenset({"openai_transcriptions", "openai_translations"})
"""Formats whose answers may be plain text, which is no JSON to be given again."""


def metered(call: Call, dialogue: Dialogue) -> Dialogue:
    """As the call's endpoint needs it."""
    form = call.document.content_type if isinstance(call.document, Form) else None
    if call.endpoint.format == "openai_speech" and not call.head.stream:
        return Poured(dialogue, call.bound.counts, call.target.price, form)
    made: Dialogue = Metered(dialogue, call.bound.counts, call.target.price, form)
    if call.output_guards:
        made = guarded(call, made)
    keeps = call.record_up_to and call.endpoint.format not in _IN_EVENTS
    return Recorded(made, call.record_up_to) if keeps else made


class Metered(Wrapped):
    """A `Dialogue` around another. `bound` is the usage that was held; `form` the content type of a form."""

    def __init__(self, inner: Dialogue, bound: Mapping[str, int], price: Price | None, form: bytes | None) -> None:
        super().__init__(inner)
        self._bound = bound
        self._price = price
        self._form = form

    @property
    def usage(self) -> Usage | None:
        """None where what was told is not what the price is for: then the bound is what it cost."""
        told = self._inner.usage
        if told is None:
            return None
        counts = {self._meter(meter): count for meter, count in told.counts.items()}
        if self._price is not None and not charged(self._price) <= {basis_of(meter) for meter in counts}:
            return None
        return replace(told, counts={meter: count for meter, count in counts.items() if count})

    def _meter(self, meter: str) -> str:
        """Pictures are counted under the meter by which they were held."""
        if meter != meters.IMAGE:
            return meter
        return next((held for held in self._bound if basis_of(held) == meter), meter)

    def request(self) -> Outgoing:
        sent = self._inner.request()
        return sent if self._form is None else Outgoing(sent.body, ((b"content-type", self._form), *sent.headers))


def pours(dialogue: Dialogue, answer: Answer) -> bool:
    """Whether this answer goes through as it comes."""
    if not isinstance(dialogue, Poured):
        return False
    return dialogue.anything or not (answer.header(b"content-type") or b"").startswith(b"application/json")


class Poured(Metered):
    """Of an answer that is neither JSON nor events: it goes through as it comes, and is whole when it ends."""

    def __init__(
        self,
        inner: Dialogue,
        bound: Mapping[str, int],
        price: Price | None,
        form: bytes | None,
        *,
        anything: bool = False,
    ) -> None:
        super().__init__(inner, bound, price, form)
        self.anything = anything
        """JSON too goes through as it comes."""
        self._delivered = 0
        self._complete = False

    @property
    def delivered(self) -> int:
        return self._delivered

    @property
    def complete(self) -> bool:
        return self._complete

    @property
    def passed_error(self) -> bool:
        return False

    def feed(self, data: bytes) -> bytes:
        self._delivered += len(data)
        return data

    def finish(self) -> bytes:
        self._inner.answer(200, b"{}")  # what was counted in the request is what it used
        self._complete = True
        return b""

    def cut(self) -> bytes:
        return b""

    def abort(self, error: HeadgateError) -> bytes:
        return b""
