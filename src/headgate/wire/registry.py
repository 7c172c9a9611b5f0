"""The formats, by name, and which dialogue joins two of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from headgate.base.errors import InvalidRequest
from headgate.wire.anthropic_count_tokens import AnthropicCountTokens
from headgate.wire.anthropic_messages.format import AnthropicMessages
from headgate.wire.dialogue import Dialogue, Head
from headgate.wire.document import Document
from headgate.wire.files import Files
from headgate.wire.gemini_embeddings import GeminiEmbeddings, embeds
from headgate.wire.openai_chat.format import OpenAIChat
from headgate.wire.openai_completions import OpenAICompletions
from headgate.wire.openai_embeddings import OpenAIEmbeddings
from headgate.wire.openai_responses.format import OpenAIResponses
from headgate.wire.passthrough import Language, Passthrough
from headgate.wire.tasks.images import Images
from headgate.wire.tasks.moderations import Moderations
from headgate.wire.tasks.rerank import Rerank
from headgate.wire.tasks.speech import Speech
from headgate.wire.tasks.transcriptions import Transcriptions
from headgate.wire.translation import open_translation, translatable

_LANGUAGES: Final[tuple[Language, ...]] = (
    OpenAIChat(),
    OpenAICompletions(),
    OpenAIEmbeddings(),
    OpenAIResponses(),
    AnthropicMessages(),
    AnthropicCountTokens(),
    Moderations(),
    Rerank(),
    Images("openai_images", "/images/generations"),
    Images("openai_image_edits", "/images/edits"),
    Images("openai_image_variations", "/images/variations"),
    Speech(),
    Transcriptions("openai_transcriptions", "/audio/transcriptions"),
    Transcriptions("openai_translations", "/audio/translations"),
    Files("openai_files", "/files"),
    Files("openai_batches", "/batches"),
)

FORMATS: Final[Mapping[str, Language]] = MappingProxyType({language.name: language for language in _LANGUAGES})
"""What clients may speak. Providers speak these too, and what only translations know (`gemini`, for example)."""


def speaks(client: str, provider: str) -> bool:
    """Whether a client's format can be served by a provider's."""
    if client == provider:
        return client in FORMATS
    return translatable(client, provider) or embeds(client, provider)


def open_dialogue(
    client: str,
    provider: str,
    document: Document,
    head: Head,
    model: str,
    *,
    overrides: Mapping[str, bytes | None] | None = None,
    ask_usage: bool = True,
    hidden_tokens: bool = False,
    default_max_tokens: int = 16_384,
    limit_member: str = "max_tokens",
    request_id: str = "",
    created: int = 0,
) -> Dialogue:
    """The dialogue for one attempt: `model` is the provider's name for it.

    `overrides` are top-level members of the client's request to set (JSON) or take out (None) before anything else.
    `ask_usage` is false for providers that refuse `stream_options`; `hidden_tokens` is true for models that are known
    to reason unseen. The rest is for translations, and explained at `open_translation`. Raises `InvalidRequest` if the
    provider cannot serve the client's format.
    """
    if client == provider and client in FORMATS:
        return Passthrough(FORMATS[client], document, head, model, overrides or {}, ask_usage, hidden_tokens)
    if not speaks(client, provider):
        raise no_such_endpoint(client, provider)
    if overrides:
        document = Document(document.replace(overrides))
    if embeds(client, provider):
        return GeminiEmbeddings(document, model)
    return open_translation(
        client,
        provider,
        document,
        model,
        default_max_tokens=default_max_tokens,
        limit_member=limit_member,
        ask_usage=ask_usage,
        hidden_tokens=hidden_tokens,
        request_id=request_id,
        created=created,
    )


def no_such_endpoint(client: str, provider: str) -> InvalidRequest:
    """The error for a provider that has nothing like the endpoint that was called."""
    path = FORMATS[client].path if client in FORMATS else client
    return InvalidRequest(
        f"The provider of this model speaks {provider} and has no endpoint like `/v1{path}`. "
        "Choose a model whose provider serves it, or call another endpoint.",
        param="model",
        code="endpoint_not_supported",
    )
