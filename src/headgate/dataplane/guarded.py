"""Guardrails on an answer: a dialogue that checks what the provider said before the client has it.

A whole answer is checked before it is sent. A stream is checked when it has come to its end: where no guardrail may
deny it, it passes as it comes and only its record tells; where one may, it is held back until then, and goes out whole
or not at all. The provider has answered by then, so what is kept back is paid for all the same.
"""

from typing import Final

from headgate.base.errors import UpstreamFailed
from headgate.dataplane.call import Call
from headgate.dataplane.guard import DENIED, FAILED, denied, judge, note
from headgate.dataplane.wrapped import Wrapped
from headgate.ledger.record import Outcome
from headgate.wire.dialogue import Dialogue
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


def check_whole(call: Call, body: bytes) -> None:
    """An answer that is all there, as the client would get it. Raises `GuardrailDenied`."""
    client = call.endpoint.format
    if not call.output_guards or not answers_with_text(client):
        return
    if not call.head.stream:
        check_text(call, answer_text(client, body))
        return
    splitter, text = EventSplitter(), StreamText(client)
    for event in (*splitter.feed(body), *splitter.finish()):
        text.add(event)
    check_text(call, text.text())


def check_text(call: Call, text: str) -> None:
    """What was said, with all the guardrails that look at answers. Raises `GuardrailDenied`."""
    for guard in call.output_guards:
        failed = guard.text_failure(text)
        judge(call, guard, "answer", failed)
        if failed is None:
            continue
        if guard.deny:
            error = denied(guard, failed, "answer")
            note(call, guard, DENIED)
            call.error = ""  # a stream that was to be cut is now one that is not sent at all
            call.fail(error, Outcome.DENIED)
            raise error
        note(call, guard, FAILED)


class Guarded(Wrapped):
    """A `Dialogue` around another."""

    def __init__(self, inner: Dialogue, call: Call) -> None:
        super().__init__(inner)
        self._call = call
        self._holds_back = holds_back(call)
        self._held_back = bytearray()
        self._splitter = EventSplitter()
        self._text = StreamText(call.endpoint.format)

    def answer(self, status: int, body: bytes) -> bytes:
        """Raises `GuardrailDenied`."""
        out = self._inner.answer(status, body)
        self._check(answer_text(self._call.endpoint.format, out))
        return out

    def _check(self, text: str) -> None:
        check_text(self._call, text)

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
