"""The halves of translations: what each chat format brings as a client's language, and as a provider's.

Any client's half goes with any provider's, because both know nothing but the neutral conversation between them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.wire.anthropic_messages import answer as anthropic_answer
from headgate.wire.anthropic_messages import request_reader as anthropic_reader
from headgate.wire.anthropic_messages import request_writer as anthropic_writer
from headgate.wire.anthropic_messages import stream_reader as anthropic_stream_reader
from headgate.wire.anthropic_messages import stream_writer as anthropic_stream_writer
from headgate.wire.anthropic_messages.format import AnthropicMessages
from headgate.wire.chat import Answer, Chat, Envelope
from headgate.wire.chat_stream import StreamReader, StreamWriter
from headgate.wire.cohere_chat import answer as cohere_answer
from headgate.wire.cohere_chat import request_writer as cohere_writer
from headgate.wire.cohere_chat import stream_reader as cohere_stream_reader
from headgate.wire.dialogue import Outgoing
from headgate.wire.errors import anthropic_body, openai_body
from headgate.wire.gemini import answer as gemini_answer
from headgate.wire.gemini import request_writer as gemini_writer
from headgate.wire.gemini import stream_reader as gemini_stream_reader
from headgate.wire.openai_chat import answer as openai_answer
from headgate.wire.openai_chat import request_reader as openai_reader
from headgate.wire.openai_chat import request_writer as openai_writer
from headgate.wire.openai_chat import stream_reader as openai_stream_reader
from headgate.wire.openai_chat import stream_writer as openai_stream_writer
from headgate.wire.openai_chat.format import THINKS_UNSEEN, OpenAIChat


@dataclass(frozen=True, slots=True)
class Terms:
    """What a provider's half is told beside the conversation.

    `default_max_tokens` is the output limit for formats that require one, where the client set none. `limit_member` is
    the OpenAI-compatible provider's name for that limit. `ask_usage` is false for those that refuse `stream_options`.
    """

    model: str
    default_max_tokens: int = 16_384
    limit_member: str = "max_tokens"
    ask_usage: bool = True


@dataclass(frozen=True, slots=True)
class ClientHalf:
    read_request: Callable[[dict[str, Any]], Chat]
    """Raises `InvalidRequest` naming the member at fault."""
    write_answer: Callable[[Answer, Envelope], bytes]
    stream_writer: Callable[[Chat, Envelope], StreamWriter]
    error_body: Callable[[HeadgateError], bytes]


@dataclass(frozen=True, slots=True)
class ProviderHalf:
    write_request: Callable[[Chat, Terms], Outgoing]
    """Raises `InvalidRequest` naming what the format cannot express."""
    read_answer: Callable[[bytes], Answer]
    stream_reader: Callable[[], StreamReader]
    thinks_unseen: Callable[[Chat, str], bool]
    """Whether this model may think, for this request, without showing all of it."""
    abridges: bool
    """Whether thinking that is shown may be a summary of what is billed."""


def _to_openai(chat: Chat, terms: Terms) -> Outgoing:
    request = openai_writer.write_request(chat, terms.model, limit_member=terms.limit_member, ask_usage=terms.ask_usage)
    return Outgoing(msgspec.json.encode(request), OpenAIChat.headers)


def _to_anthropic(chat: Chat, terms: Terms) -> Outgoing:
    request = anthropic_writer.write_request(chat, terms.model, default_max_tokens=terms.default_max_tokens)
    return Outgoing(msgspec.json.encode(request), AnthropicMessages.headers)


def _to_gemini(chat: Chat, terms: Terms) -> Outgoing:
    request = gemini_writer.write_request(chat, terms.model)
    return Outgoing(msgspec.json.encode(request))


def _to_cohere(chat: Chat, terms: Terms) -> Outgoing:
    return Outgoing(msgspec.json.encode(cohere_writer.write_request(chat, terms.model)))


def _asked_to_think(chat: Chat) -> bool:
    return chat.reasoning is not None and not chat.reasoning.off


CLIENTS: Final[Mapping[str, ClientHalf]] = MappingProxyType(
    {
        OpenAIChat.name: ClientHalf(
            openai_reader.read_request,
            openai_answer.write_answer,
            lambda chat, envelope: openai_stream_writer.StreamWriter(envelope, chat.include_usage),
            openai_body,
        ),
        AnthropicMessages.name: ClientHalf(
            anthropic_reader.read_request,
            anthropic_answer.write_answer,
            lambda _chat, envelope: anthropic_stream_writer.StreamWriter(envelope),
            anthropic_body,
        ),
    }
)

PROVIDERS: Final[Mapping[str, ProviderHalf]] = MappingProxyType(
    {
        OpenAIChat.name: ProviderHalf(
            _to_openai,
            openai_answer.read_answer,
            openai_stream_reader.StreamReader,
            lambda chat, model: _asked_to_think(chat) or THINKS_UNSEEN.search(model) is not None,
            abridges=False,
        ),
        AnthropicMessages.name: ProviderHalf(
            _to_anthropic,
            anthropic_answer.read_answer,
            anthropic_stream_reader.StreamReader,
            lambda chat, _model: _asked_to_think(chat),
            abridges=True,
        ),
        "gemini": ProviderHalf(
            _to_gemini,
            gemini_answer.read_answer,
            gemini_stream_reader.StreamReader,
            # Gemini thinks unless it is told not to, and shows at most a summary.
            lambda chat, _model: chat.reasoning is None or not chat.reasoning.off,
            abridges=True,
        ),
        "cohere_chat": ProviderHalf(
            _to_cohere,
            cohere_answer.read_answer,
            cohere_stream_reader.StreamReader,
            # Cohere shows all it thinks, and bills none of it.
            lambda _chat, _model: False,
            abridges=False,
        ),
    }
)
