"""Anthropic's token counter. It generates nothing and costs nothing."""

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.anthropic_messages.format import HEADERS, user_and_metadata
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.errors import anthropic_body
from headgate.wire.plain import PlainMeter
from headgate.wire.reading import check_answer


class AnthropicCountTokens:
    name = "anthropic_count_tokens"
    path = "/messages/count_tokens"
    headers = HEADERS

    def head(self, document: Document) -> Head:
        user, metadata = user_and_metadata(document)
        return Head(model=document.string("model"), max_output_tokens=0, user=user, metadata=metadata)

    def error_body(self, error: HeadgateError) -> bytes:
        return anthropic_body(error)

    def changes(self, document: Document, head: Head) -> dict[str, bytes | None]:
        return {}

    def meter(self, document: Document, head: Head, model: str) -> "CountTokensMeter":
        return CountTokensMeter()


class CountTokensMeter(PlainMeter):
    def answer(self, body: bytes) -> None:
        check_answer(body)
        self.usage, self.complete = Usage({}), True
