"""What policy reads of a request, where formats agree on it."""

from collections.abc import Mapping
from typing import Final

from headgate.wire.document import Document

MAX_CHOICES: Final = 128
"""What OpenAI allows; others allow less."""

MAX_METADATA_CHARS: Final = 128
"""Longer values are shortened, and values under longer keys left out, for policy and records; the provider gets them
as they were sent."""


def metadata(document: Document) -> Mapping[str, str]:
    """The request's `metadata` as strings. Values that are no scalars are the provider's business and left out."""
    value = document.value("metadata")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise document.wrong("metadata", "an object")
    return {
        key: text[:MAX_METADATA_CHARS]
        for key, item in value.items()
        if len(key) <= MAX_METADATA_CHARS and (text := _scalar(item)) is not None
    }


def _scalar(value: object) -> str | None:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return None


def choices(document: Document) -> int:
    """How many answers are asked for; each may be as long as the limit says."""
    return document.integer("n", minimum=1, maximum=MAX_CHOICES) or 1
