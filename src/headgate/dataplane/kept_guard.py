"""Guardrails on what is shown again of a response that a provider keeps: one that was made in the background had said
nothing yet when it was made."""

from headgate.dataplane.call import Call
from headgate.dataplane.guarded import Guarded, check_text
from headgate.dataplane.metered import Poured
from headgate.wire.dialogue import Dialogue
from headgate.wire.texts import kept_text


def shown_again(call: Call, dialogue: Dialogue, *, stream: bool) -> Dialogue:
    """The dialogue, with what a model said in its answers checked."""
    shown = Shown(dialogue, call)
    return ShownStream(shown) if stream else shown


class Shown(Guarded):
    """A `Dialogue` around another. Where nothing was said yet there is nothing to check."""

    def answer(self, status: int, body: bytes) -> bytes:
        """Raises `GuardrailDenied`."""
        out = self._inner.answer(status, body)
        self._check(kept_text(out))
        return out

    def _check(self, text: str) -> None:
        if text:
            check_text(self._call, text)


class ShownStream(Poured):
    """Events of it, as they are kept."""

    def __init__(self, shown: Shown) -> None:
        super().__init__(shown, {}, None, None)

    def feed(self, data: bytes) -> bytes:
        super().feed(data)
        return self._inner.feed(data)

    def finish(self) -> bytes:
        """Raises `GuardrailDenied`."""
        out = self._inner.finish()
        self._complete = True
        return out

    def cut(self) -> bytes:
        """Raises `GuardrailDenied`."""
        return self._inner.cut()
