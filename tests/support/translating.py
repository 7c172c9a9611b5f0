"""Translations opened the short way."""

import json
from typing import Any

from headgate.wire.document import Document
from headgate.wire.translation import Translation, open_translation

OPENAI, ANTHROPIC, GEMINI, COHERE = "openai_chat", "anthropic_messages", "gemini", "cohere_chat"
MODELS = {OPENAI: "gpt-4o", ANTHROPIC: "claude-opus-4-6", GEMINI: "gemini-2.5-flash", COHERE: "command-a-03-2025"}


def least_request(client: str, stream: bool = False) -> dict[str, Any]:
    """A request of the client's format that asks nothing special; an OpenAI stream asks for usage."""
    request: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": stream}
    if client == ANTHROPIC:
        return request | {"max_tokens": 100}
    return request | ({"stream_options": {"include_usage": True}} if stream else {})


def translation(client: str, provider: str, request: dict[str, Any] | None = None, **terms: Any) -> Translation:
    request = least_request(client) if request is None else request
    model = terms.pop("model", MODELS[provider])
    document = Document(json.dumps(request).encode())
    return open_translation(client, provider, document, model, **{"request_id": "req_1", "created": 7, **terms})


def sent(client: str, provider: str, request: dict[str, Any], **terms: Any) -> dict[str, Any]:
    """The body that goes to the provider."""
    body: dict[str, Any] = json.loads(translation(client, provider, request, **terms).request().body)
    return body
