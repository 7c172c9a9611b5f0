"""Requests that are text and nothing else, told by their type.

Most calls are: their members are settings, and their messages are strings or parts of type text. What is listed here
is all that such a request may have. Any other member or part, under whatever spelling, makes it one that is decoded
and read in full: nothing is taken for text because it is not known.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

from headgate.wire.document import Document

_Skipped = msgspec.Raw
"""The type of what may be anything: it is not decoded."""
_ABSENT: Final = msgspec.Raw()


class _Known(msgspec.Struct, forbid_unknown_fields=True):
    """Has no members but those that are listed."""


class _TextPart(_Known):
    type: Literal["text"]
    text: _Skipped


class _Message(_Known):
    role: str
    content: str | list[_TextPart]
    name: _Skipped = _ABSENT


class _ResponsesPart(_Known):
    type: Literal["input_text", "output_text"]
    text: _Skipped
    annotations: _Skipped = _ABSENT
    logprobs: _Skipped = _ABSENT


class _ResponsesMessage(_Known):
    role: str
    content: str | list[_ResponsesPart]
    type: Literal["message"] = "message"
    id: _Skipped = _ABSENT
    status: _Skipped = _ABSENT


SETTINGS: Final = frozenset(
    {
        "frequency_penalty",
        "instructions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_output_tokens",
        "max_tokens",
        "metadata",
        "model",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "prompt_cache_key",
        "reasoning_effort",
        "safety_identifier",
        "seed",
        "stop",
        "stop_sequences",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "thinking",
        "top_k",
        "top_logprobs",
        "top_p",
        "user",
    }
)
"""Members that bring no content but their own bytes, no tools and no terms, whatever their value."""


class _Text(NamedTuple):
    """A format's requests of text alone."""

    members: frozenset[str]
    conversation: tuple[tuple[str, Callable[[bytes], object]], ...]
    """The members that hold what the model reads, each with the decoder that takes text alone."""


def _text(**conversation: Any) -> _Text:
    decoders = tuple((name, msgspec.json.Decoder(kind).decode) for name, kind in conversation.items())
    return _Text(SETTINGS.union(conversation), decoders)


_ANTHROPIC: Final = _text(messages=list[_Message], system=str | list[_TextPart])

_FORMATS: Final[Mapping[str, _Text]] = {
    "openai_chat": _text(messages=list[_Message]),
    "openai_responses": _text(input=str | list[_ResponsesMessage]),
    "anthropic_messages": _ANTHROPIC,
    "anthropic_count_tokens": _ANTHROPIC,
}


def is_text(format_name: str, document: Document) -> bool:
    """Whether a request has only settings and text: no tools, no images or sound, no terms, no cache marks."""
    text = _FORMATS.get(format_name)
    if text is None or not text.members.issuperset(document.names()):
        return False
    try:
        for name, decode in text.conversation:
            value = document.get(name)
            if value is not None:
                decode(value)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
