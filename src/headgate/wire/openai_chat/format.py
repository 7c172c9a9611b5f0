"""OpenAI's chat completions as a client sends and reads them."""

import re
from typing import Final

from headgate.base.errors import HeadgateError
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.errors import openai_body
from headgate.wire.heads import choices, metadata
from headgate.wire.openai_chat.meter import CompletionMeter

# Families that think before they speak and do not show it, unless they are told not to.
THINKS_UNSEEN: Final = re.compile(r"\A(?:.*/)?(?:o[134]|gpt-5)(?![0-9a-z])", re.ASCII | re.DOTALL)


class OpenAIChat:
    name = "openai_chat"
    path = "/chat/completions"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def head(self, document: Document) -> Head:
        newer = document.integer("max_completion_tokens", minimum=1)
        older = document.integer("max_tokens", minimum=1)
        return Head(
            model=document.string("model"),
            stream=document.boolean("stream") or False,
            max_output_tokens=older if newer is None else newer,
            choices=choices(document),
            user=document.string("user"),
            metadata=metadata(document),
        )

    def error_body(self, error: HeadgateError) -> bytes:
        return openai_body(error)

    def changes(self, document: Document, head: Head) -> dict[str, bytes | None]:
        return usage_wanted(document, head)

    def meter(self, document: Document, head: Head, model: str) -> CompletionMeter:
        hidden = THINKS_UNSEEN.match(model) is not None or _effort_asked(document)
        return CompletionMeter("chat.completion.chunk", head.choices, usage_asked(document), hidden)


def _effort_asked(document: Document) -> bool:
    return document.get("reasoning_effort") not in (None, b"null", b'"none"') or "reasoning" in document


_ASKED: Final = b'{"include_usage":true}'


def usage_asked(document: Document) -> bool:
    """Whether the client wants the chunk that reports usage."""
    if document.get("stream_options") == _ASKED:  # as most SDKs write it
        return True
    options = document.object("stream_options")
    return options is not None and options.boolean("include_usage") is True


def usage_wanted(document: Document, head: Head) -> dict[str, bytes | None]:
    """The change by which a stream reports its usage; other stream options stay as they are."""
    if not head.stream or document.get("stream_options") == _ASKED:
        return {}
    options = document.object("stream_options")
    if options is None:
        return {"stream_options": _ASKED}
    if options.boolean("include_usage") is True:
        return {}
    return {"stream_options": options.replace({"include_usage": b"true"})}
