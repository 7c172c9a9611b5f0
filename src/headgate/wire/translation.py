"""The dialogue of a client that speaks one chat format and a provider that speaks another."""

from headgate.base.errors import HeadgateError, UpstreamFailed
from headgate.base.usage import Usage
from headgate.wire.chat import Chat, Envelope, RedactedThinking, Stop, Text, Thinking, ToolCall
from headgate.wire.chat_stream import (
    ArgumentsDelta,
    Ended,
    Failed,
    Finished,
    Redacted,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ThinkingStarted,
    ToolCallStarted,
    Unspoken,
    UsageSeen,
)
from headgate.wire.dialogue import Outgoing
from headgate.wire.document import Document
from headgate.wire.halves import CLIENTS, PROVIDERS, ClientHalf, ProviderHalf, Terms
from headgate.wire.provider_error import read_error
from headgate.wire.sse import Event, EventSplitter


def translatable(client: str, provider: str) -> bool:
    """Whether a client's format can be served by a provider's, being another."""
    return client != provider and client in CLIENTS and provider in PROVIDERS


def open_translation(
    client: str,
    provider: str,
    document: Document,
    model: str,
    *,
    default_max_tokens: int = 16_384,
    limit_member: str = "max_tokens",
    ask_usage: bool = True,
    hidden_tokens: bool = False,
    request_id: str = "",
    created: int = 0,
) -> "Translation":
    """The dialogue for one attempt: `model` is the provider's name for it.

    `default_max_tokens`, `limit_member` and `ask_usage` are explained at `halves.Terms`; `hidden_tokens` is true for
    models that are known to reason unseen. `request_id` and `created` (seconds since the epoch) stand in an answer
    where the provider gives no id, and no time. Raises `InvalidRequest` naming a member that is wrong, or that has no
    counterpart in other formats.
    """
    terms = Terms(model, default_max_tokens, limit_member, ask_usage)
    envelope = Envelope(request_id, model, created)
    return Translation(CLIENTS[client], PROVIDERS[provider], document, terms, envelope, hidden_tokens)


class Translation:
    """A `Dialogue`. What a provider tells in its stream that is no answer (an error, no JSON) ends the reading; what
    came before it goes out, and `finish` raises.
    """

    def __init__(
        self,
        client: ClientHalf,
        provider: ProviderHalf,
        document: Document,
        terms: Terms,
        envelope: Envelope,
        hidden_tokens: bool,
    ) -> None:
        self.usage: Usage | None = None
        self.delivered = 0
        self.complete = False
        self._client = client
        self._provider = provider
        self._terms = terms
        self._envelope = envelope
        self._chat: Chat = client.read_request(document.decode())
        self.hidden_tokens = hidden_tokens or provider.thinks_unseen(self._chat, terms.model)
        self._splitter = EventSplitter()
        self._reader = provider.stream_reader()
        self._writer = client.stream_writer(self._chat, envelope)
        self._finished = Finished(Stop.END)
        self._failure: UpstreamFailed | None = None
        self._over = False

    @property
    def passed_error(self) -> bool:
        return False

    def request(self) -> Outgoing:
        """Raises `InvalidRequest` naming the member that the provider's format cannot express."""
        return self._provider.write_request(self._chat, self._terms)

    def answer(self, status: int, body: bytes) -> bytes:
        """Raises `UpstreamFailed` for what is no answer."""
        answer = self._provider.read_answer(body)
        self.delivered = sum(_generated(part) for part in answer.parts)
        if any(isinstance(part, Thinking | RedactedThinking) for part in answer.parts):
            self.hidden_tokens |= self._provider.abridges
        self._use(answer.usage)
        self.complete = True
        return self._client.write_answer(answer, self._envelope)

    def error(self, status: int, body: bytes) -> bytes:
        return self._client.error_body(read_error(status, body))

    def feed(self, data: bytes) -> bytes:
        try:
            return self._translate(self._splitter.feed(data))
        except UpstreamFailed as error:  # an event beyond all bounds
            self._fail(error)
            return b""

    def finish(self) -> bytes:
        left = self._translate(self._splitter.finish())
        if self._failure is not None:
            raise self._failure
        if not self.complete:
            raise UpstreamFailed("The provider's stream ended before its answer was whole.")
        return left if self._over else left + self._end()

    def cut(self) -> bytes:
        if self._over or self._failure is not None:
            return b""
        self._over = True
        return self._writer.end(Stop.LENGTH, None, self.usage, whole=False)

    def abort(self, error: HeadgateError) -> bytes:
        if self._over:
            return b""
        self._over = True
        return self._writer.fail(error)

    def _translate(self, events: list[Event]) -> bytes:
        out = []
        try:
            for event in events:
                if self._over or self._failure is not None:
                    break
                out += [self._tell(neutral) for neutral in self._reader.read(event)]
        except UpstreamFailed as error:
            self._fail(error)
        return b"".join(out)

    def _fail(self, error: UpstreamFailed) -> None:
        if not self._over:
            self._failure, self.complete = error, False

    def _tell(self, event: StreamEvent) -> bytes:
        match event:
            case UsageSeen(usage=usage):
                self._use(usage)
            case Finished():
                self._finished, self.complete = event, True
                return b""
            case Ended():
                return self._end()
            case Failed(message=message):
                self._fail(UpstreamFailed(message, code="provider_error_in_stream"))
                return b""
            case ThinkingStarted() | Redacted():
                self.hidden_tokens |= self._provider.abridges
        self.delivered += _size(event)
        return self._writer.write(event)

    def _use(self, usage: Usage | None) -> None:
        # Nothing used and something delivered is no report: what was delivered is then counted, not given away.
        if usage is not None and (usage.counts or not self.delivered):
            self.usage = usage

    def _end(self) -> bytes:
        self._over = True
        return self._writer.end(self._finished.stop, self._finished.stop_sequence, self.usage)


def _size(event: StreamEvent) -> int:
    """UTF-8 bytes that the model generated for it."""
    match event:
        case TextDelta(text=text) | ThinkingDelta(text=text) | ArgumentsDelta(json=text) | Redacted(data=text):
            return len(text.encode())
        case ToolCallStarted(name=name):
            return len(name.encode())
        case Unspoken(size=size):
            return size
    return 0


def _generated(part: Text | ToolCall | Thinking | RedactedThinking) -> int:
    match part:
        case Text(text=text) | Thinking(text=text) | RedactedThinking(data=text):
            return len(text.encode())
        case ToolCall(name=name, arguments=arguments):
            return len((name + arguments).encode())
