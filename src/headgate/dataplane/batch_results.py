"""What a batch says of itself, and what its lines used: read from the file that the provider wrote."""

from typing import Final

import msgspec

from headgate.base.errors import UpstreamFailed
from headgate.base.usage import Usage
from headgate.catalog.price import Price
from headgate.catalog.tally import Tally
from headgate.ledger.correction import Correction
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.registry import FORMATS

ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
"""The states in which a batch does no more."""
_NO_REQUEST: Final = Document(b"{}"), Head(model=None), ""


class RequestCounts(msgspec.Struct):
    """Lines, by what became of them."""

    total: int = 0
    completed: int = 0
    failed: int = 0


class Batch(msgspec.Struct):
    """As the provider shows it, as far as it matters here."""

    status: str = ""
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: RequestCounts | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def results(self) -> list[str]:
        """The files that it has made so far."""
        return [name for name in (self.output_file_id, self.error_file_id) if name]


_batch: Final = msgspec.json.Decoder(Batch)


def batch_in(body: bytes) -> Batch:
    """One that says nothing, for what cannot be read."""
    try:
        return _batch.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Batch()


class _Response(msgspec.Struct):
    status_code: int = 200
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Result(msgspec.Struct):
    response: _Response | None = None


_result: Final = msgspec.json.Decoder(_Result)


class Results:
    """The lines of an output file, one after another. `format` is that of their answers; without a price it is only
    counted what they used."""

    def __init__(self, format_name: str, price: Price | None) -> None:
        self._language = FORMATS[format_name]
        self._tally = Tally(price)
        self.answered = 0
        """Lines that were answered well: those that the provider bills."""
        self.unread = 0
        """Of those, how many do not say what they used."""

    def add(self, line: bytes) -> None:
        """A line that tells of a failure used nothing."""
        try:
            response = _result.decode(line).response
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.answered += 1
            self.unread += 1
            return
        if response is None or not 200 <= response.status_code < 300:
            return
        self.answered += 1
        usage = self._usage(bytes(response.body))
        if usage is None:
            self.unread += 1
        else:
            self._tally.add(usage)

    def _usage(self, body: bytes) -> Usage | None:
        meter = self._language.meter(*_NO_REQUEST)
        try:
            meter.answer(body)
        except UpstreamFailed:
            return None
        return meter.usage

    def of(self, batch: Batch) -> Correction | None:
        """What the batch came to. None: these are not all of its lines, or some cannot be read."""
        counts = batch.request_counts
        if self.unread or (counts is not None and self.answered < counts.completed):
            return None
        cost = self._tally.cost()
        lines = tuple([(line.meter, line.count, line.rate, line.nanos) for line in cost.lines])
        raw = msgspec.json.encode({"status": batch.status, "request_counts": counts}).decode()
        return Correction(dict(self._tally.counts), raw, cost.nanos, lines, cost.unpriced)
