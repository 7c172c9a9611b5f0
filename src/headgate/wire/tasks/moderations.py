"""OpenAI's moderations: whether a text or a picture is harmful. Nothing is generated, and never a stream."""

from typing import Final

import msgspec

from headgate.base.usage import Usage
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.openai_chat.usage import read_usage
from headgate.wire.reading import given
from headgate.wire.tasks.task import Task, TaskMeter, Told

DEFAULT_MODEL: Final = "omni-moderation-latest"
"""What OpenAI takes where a request names none; it is sent, so that what was allowed is what answers."""


class Moderations(Task):
    name = "openai_moderations"
    path = "/moderations"

    def head(self, document: Document) -> Head:
        return Head(model=document.string("model") or DEFAULT_MODEL, max_output_tokens=0)

    def changes(self, document: Document, head: Head) -> dict[str, bytes | None]:
        return {"model": msgspec.json.encode(head.model)} if document.string("model") is None else {}

    def meter(self, document: Document, head: Head, model: str) -> TaskMeter:
        return TaskMeter(_usage)


def _usage(told: Told) -> Usage | None:
    """Mistral tells its tokens; OpenAI tells nothing."""
    return read_usage(given(told.usage))
