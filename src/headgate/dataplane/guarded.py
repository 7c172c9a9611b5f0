"""Guardrails on an answer: a dialogue that checks what the provider said before the client has it.

A whole answer is checked before it is sent. A stream is checked when it has come to its end: where no guardrail may
deny it, it passes as it comes and only its record tells; where one may, it is held back until then, and goes out whole
or not at all. The provider has answered by then, so what is kept back is paid for all the same.
"""

from typing import Final

from headgate.base.errors import HeadgateError, UpstreamFailed
from headgate.base.usage import Usage
from headgate.dataplane.call import Call
from headgate.dataplane.guard import DENIED, FAILED, denied, note
from headgate.ledger.record import Outcome
from headgate.wire.dialogue import Dialogue, Outgoing
from headgate.wire.sse import EventSplitter
from headgate.wire.texts import StreamText, answer_text, answers_with_text

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of a stream that are held back at most."""


def guarded(call: Call, dialogue: Dialogue) -> Dialogue:
    """The dialogue, with its answers checked where they have text. For calls with guardrails on their answers."""
    return Guarded(dialogue, call) if answers_with_text(call.endpoint.format) else dialogue


def holds_back(call: Call) -> bool:
    """Whether nothing of its answer may go out before all of it was checked."""
    return any(guard.deny for guard in call.output_guards)


class Guarded:
    """A `Dialogue` around another."""

    def __init__(self, inner: Dialogue, call: Call) -> None:
        self._inner = inner
        self._call = call
        self._holds_back = holds_back(call)
        self._held_back = bytearray()
        self._splitter = EventSplitter()
        self._text = StreamText(call.endpoint.format)

    @property
    def usage(self) -> Usage | None:
        return self._inner.usage

    @property
    def delivered(self) -> int:
        return self._inner.delivered

    @property
    def hidden_tokens(self) -> bool:
        return self._inner.hidden_tokens

    @property
    def complete(self) -> bool:
        return self._inner.complete

    def request(self) -> Outgoing:
        return self._inner.request()

    def answer(self, status: int, body: bytes) -> bytes:
        """Raises `GuardrailDenied`."""
        out = self._inner.answer(status, body)
        self._check(answer_text(self._call.endpoint.format, out))
        return out

    def error(self, status: int, body: bytes) -> bytes:
        return self._inner.error(status, body)

    def feed(self, data: bytes) -> bytes:
        """Nothing, while it is held back. Raises `UpstreamFailed` for a stream too long to be."""
        out = self._inner.feed(data)
        self._look(out)
        if not self._holds_back:
            return out
        self._held_back += out
        if len(self._held_back) > LARGEST:
            raise UpstreamFailed(
                "The answer is too long to be held back until the guardrails have checked it.", code="answer_too_long"
            )
        return b""

    def finish(self) -> bytes:
        """Raises `GuardrailDenied`."""
        return self._released(self._inner.finish())

    def cut(self) -> bytes:
        """Raises `GuardrailDenied`."""
        return self._released(self._inner.cut())

    def abort(self, error: HeadgateError) -> bytes:
        return self._inner.abort(error)

    def _look(self, out: bytes) -> None:
        for event in self._splitter.feed(out) if out else ():
            self._text.add(event)

    def _released(self, out: bytes) -> bytes:
        self._look(out)
        for event in self._splitter.finish():
            self._text.add(event)
        self._check(self._text.text())
        held_back, self._held_back = self._held_back, bytearray()
        return bytes(held_back) + out

    def _check(self, text: str) -> None:
        call = self._call
        for guard in call.output_guards:
            failed = guard.text_failure(text)
            if failed is None:
                continue
            if guard.deny:
                error = denied(guard, failed, "answer")
                note(call, guard, DENIED)
                call.error = ""  # a stream that was to be cut is now one that is not sent at all
                call.fail(error, Outcome.DENIED)
                raise error
            note(call, guard, FAILED)
