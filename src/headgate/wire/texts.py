"""The text of a request, and of an answer, in the client's format: what guardrails look at.

All text that people and models wrote or read: messages, instructions, tool results and arguments, reasoning. Not the
definitions of tools, and nothing that is no text: images, audio, files, token numbers.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from headgate.base.errors import UpstreamFailed
from headgate.wire.document import Document
from headgate.wire.sse import Event

Members = Mapping[str, tuple[str, ...]]

_REQUEST: Final[Members] = MappingProxyType(
    {
        "openai_chat": ("messages", "prediction"),
        "openai_completions": ("prompt", "suffix"),
        "openai_embeddings": ("input",),
        "openai_responses": ("instructions", "input", "prompt"),
        "anthropic_messages": ("system", "messages"),
        "anthropic_count_tokens": ("system", "messages"),
        "openai_moderations": ("input",),
        "rerank": ("query", "documents"),
        "openai_images": ("prompt",),
        "openai_image_edits": ("prompt",),
        "openai_image_variations": (),
        "openai_speech": ("instructions", "input"),
        "openai_transcriptions": ("prompt",),
        "openai_translations": ("prompt",),
    }
)
_ANSWER: Final[Members] = MappingProxyType(
    {
        "openai_chat": ("choices",),
        "openai_completions": ("choices",),
        "openai_responses": ("output",),
        "anthropic_messages": ("content",),
        "openai_transcriptions": ("text",),
        "openai_translations": ("text",),
    }
)
_PLAIN: Final = frozenset({"openai_transcriptions", "openai_translations"})
"""Formats whose answers may be text alone."""
_NOT_TEXT: Final = frozenset(
    {
        *("role", "type", "id", "name", "status", "object", "format", "detail", "version", "filename"),
        *("tool_call_id", "tool_use_id", "call_id", "item_id", "file_id", "namespace", "phase"),
        *("url", "image_url", "file_url", "data", "file_data", "media_type", "mime_type", "input_audio", "audio"),
        *("signature", "encrypted_content", "cache_control", "logprobs", "finish_reason", "stop_reason", "annotations"),
    }
)
"""Members whose values no one reads as text."""
_ANSWERING: Final = frozenset({"assistant", "tool", "function"})
_FREE: Final = frozenset({"input", "arguments", "variables"})
"""Members that hold what a model wrote for a tool, or what is put into a prompt: any names, all of it text."""
_FREE_OF_REQUESTS: Final = frozenset({"documents"})
"""The same, of requests: what is ranked has fields of any name."""
_decode: Final = msgspec.json.Decoder().decode


def request_text(format_name: str, document: Document) -> str:
    """All of a request, in its order, joined by line breaks."""
    members = [(document.value(member), member in _FREE_OF_REQUESTS) for member in _REQUEST[format_name]]
    return "\n".join(text for value, free in members for text in _texts(value, free=free))


def asked_text(format_name: str, document: Document) -> str:
    """Of it, what system and user said: without earlier answers, calls of tools and their results."""
    asked = [_asked(document.value(member)) for member in _REQUEST[format_name] if member != "prediction"]
    return "\n".join(text for value in asked for text in _texts(value))


def _asked(value: Any) -> Any:
    return [item for item in value if not _was_answered(item)] if isinstance(value, list) else value


def _was_answered(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    kind = item.get("type")
    return item.get("role") in _ANSWERING or (
        isinstance(kind, str) and kind.endswith(("_call", "_output", "reasoning"))
    )


def answers_with_text(format_name: str) -> bool:
    """Whether answers in this format have any."""
    return format_name in _ANSWER


def answer_text(format_name: str, body: bytes) -> str:
    """All of a whole answer, in its order, joined by line breaks. Raises `UpstreamFailed` for what is no object."""
    answer = _object(body)
    if answer is None and format_name in _PLAIN:
        return body.decode(errors="replace")
    return "\n".join(text for member in _ANSWER[format_name] for text in _texts(_read(answer).get(member)))


def kept_text(body: bytes) -> str:
    """What a model said in a response that is shown again, or in the list of what it was made from. Raises as
    `answer_text`."""
    found = _read(_object(body))
    said = [item for item in _dicts(found.get("data")) if _was_answered(item)]
    return "\n".join(_texts([found.get("output"), said]))


def _read(answer: dict[str, Any] | None) -> dict[str, Any]:
    if answer is None:
        raise UpstreamFailed("The provider's answer is no JSON object, so the guardrails cannot check it.")
    return answer


class StreamText:
    """The text of a streamed answer, put together from its events."""

    def __init__(self, format_name: str) -> None:
        self._pieces: dict[object, list[str]] = {}
        self._read = _STREAMS[format_name]

    def add(self, event: Event) -> None:
        """An event that tells no text, or cannot be read, adds nothing."""
        if event.data and (found := _object(event.data)) is not None:
            for place, text in self._read(found):
                self._pieces.setdefault(place, []).append(text)

    def text(self) -> str:
        """So far: each part of the answer whole, joined by line breaks."""
        return "\n".join("".join(pieces) for pieces in self._pieces.values())


def _texts(value: Any, *, free: bool = False) -> Iterator[str]:
    """Without recursion: how deep a request is nested is the client's choice."""
    left = [(value, free)]
    while left:
        each, free = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            left += [(item, free) for item in reversed(each)]
        elif isinstance(each, dict):
            if not free and each.get("type") == "text" and isinstance(text := each.get("data"), str):
                yield text  # a document that is plain text
            left += [
                (item, free or name in _FREE) for name, item in reversed(each.items()) if free or name not in _NOT_TEXT
            ]


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


Piece = tuple[object, str]


def _chat(event: dict[str, Any]) -> Iterator[Piece]:
    for choice in _dicts(event.get("choices")):
        place, delta = choice.get("index"), choice.get("delta")
        if not isinstance(delta, dict):
            continue
        for name, text in _strings(delta, "content", "refusal", "reasoning_content", "reasoning"):
            yield (place, name), text
        for call in _dicts(delta.get("tool_calls")):
            function = call.get("function")
            for _, text in _strings(function if isinstance(function, dict) else {}, "arguments"):
                yield (place, "tool_calls", call.get("index")), text


def _completions(event: dict[str, Any]) -> Iterator[Piece]:
    for choice in _dicts(event.get("choices")):
        for _, text in _strings(choice, "text"):
            yield choice.get("index"), text


def _responses(event: dict[str, Any]) -> Iterator[Piece]:
    if str(event.get("type", "")).endswith(".delta"):
        for _, text in _strings(event, "delta"):
            yield (event.get("type"), event.get("item_id"), event.get("content_index")), text


def _anthropic(event: dict[str, Any]) -> Iterator[Piece]:
    delta = event.get("delta")
    if event.get("type") == "content_block_delta" and isinstance(delta, dict):
        for name, text in _strings(delta, "text", "thinking", "partial_json"):
            yield (event.get("index"), name), text


_STREAMS: Final = MappingProxyType(
    {
        "openai_chat": _chat,
        "openai_completions": _completions,
        "openai_responses": _responses,
        "anthropic_messages": _anthropic,
        "openai_transcriptions": _responses,
        "openai_translations": _responses,
    }
)


def _strings(value: dict[str, Any], *names: str) -> Iterator[tuple[str, str]]:
    return ((name, text) for name in names if isinstance(text := value.get(name), str))


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
