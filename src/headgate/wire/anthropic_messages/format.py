"""Anthropic's messages as a client sends and reads them."""

from collections.abc import Mapping
from typing import Final

from headgate.base.errors import HeadgateError
from headgate.wire.anthropic_messages.meter import MessagesMeter
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.errors import anthropic_body
from headgate.wire.heads import metadata

HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = ((b"anthropic-version", b"2023-06-01"),)
"""The version that all of the API's public life has been under; a client's own header goes before it."""


class AnthropicMessages:
    name = "anthropic_messages"
    path = "/messages"
    headers = HEADERS

    def head(self, document: Document) -> Head:
        user, labels = user_and_metadata(document)
        return Head(
            model=document.string("model"),
            stream=document.boolean("stream") or False,
            max_output_tokens=document.integer("max_tokens"),
            user=user,
            metadata=labels,
        )

    def error_body(self, error: HeadgateError) -> bytes:
        return anthropic_body(error)

    def changes(self, document: Document, head: Head) -> dict[str, bytes | None]:
        return {}

    def meter(self, document: Document, head: Head, model: str) -> MessagesMeter:
        return MessagesMeter(model)


def user_and_metadata(document: Document) -> tuple[str | None, Mapping[str, str]]:
    """Anthropic names the user `metadata.user_id`."""
    labels = metadata(document)
    return labels.get("user_id"), {name: value for name, value in labels.items() if name != "user_id"}
