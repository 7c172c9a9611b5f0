"""OpenAI's text completions: the older sister of chat, still spoken by model servers."""

from headgate.base.errors import HeadgateError
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.errors import openai_body
from headgate.wire.heads import choices, metadata
from headgate.wire.openai_chat.format import usage_asked, usage_wanted
from headgate.wire.openai_chat.meter import CompletionMeter


class OpenAICompletions:
    name = "openai_completions"
    path = "/completions"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def head(self, document: Document) -> Head:
        return Head(
            model=document.string("model"),
            stream=document.boolean("stream") or False,
            max_output_tokens=document.integer("max_tokens", minimum=1),
            # `best_of` answers are generated for each prompt, of which the best `n` come back.
            choices=_batch(document) * max(choices(document), document.integer("best_of", minimum=1) or 1),
            user=document.string("user"),
            metadata=metadata(document),
        )

    def error_body(self, error: HeadgateError) -> bytes:
        return openai_body(error)

    def changes(self, document: Document, head: Head) -> dict[str, bytes | None]:
        return usage_wanted(document, head)

    def meter(self, document: Document, head: Head, model: str) -> CompletionMeter:
        returned = _batch(document) * choices(document)
        return CompletionMeter("text_completion", returned, usage_asked(document), hidden_tokens=False)


def _batch(document: Document) -> int:
    """How many prompts: a list of texts or of token lists is a batch, a list of token numbers is one prompt."""
    prompt = document.value("prompt")
    return len(prompt) if isinstance(prompt, list) and prompt and isinstance(prompt[0], str | list) else 1
