"""Endpoints that answer whole, never as a stream."""

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.errors import openai_event
from headgate.wire.sse import Event


class PlainMeter:
    """Reads the answers of such an endpoint. A stream that comes all the same is forwarded and never whole."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.delivered = 0
        self.hidden_tokens = False
        self.complete = False
        self.failed = False

    def event(self, event: Event) -> bool:
        self.delivered += len(event.data)
        return True

    def cut(self) -> bytes:
        return b""

    def abort(self, error: HeadgateError) -> bytes:
        return openai_event(error)
