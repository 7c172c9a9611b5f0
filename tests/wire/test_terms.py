"""The terms under which a provider says it served a call: they decide which price applies."""

import pytest

from headgate.wire.document import Document
from headgate.wire.registry import FORMATS, open_dialogue


@pytest.mark.parametrize(
    ("name", "answer", "terms"),
    [
        (
            "openai_chat",
            b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1},"service_tier":"flex"}',
            "flex",
        ),
        ("openai_chat", b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}', None),
        ("openai_chat", b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1},"service_tier":7}', None),
        ("openai_responses", b'{"usage":{"input_tokens":1,"output_tokens":1},"service_tier":"priority"}', "priority"),
        ("anthropic_messages", b'{"usage":{"input_tokens":1,"output_tokens":1,"service_tier":"standard"}}', "standard"),
        ("anthropic_messages", b'{"usage":{"input_tokens":1,"output_tokens":1,"speed":"fast"}}', "fast"),
    ],
)
def test_the_answers_own_terms_are_read(name: str, answer: bytes, terms: str | None) -> None:
    """OpenAI tells its service tier beside the usage, Anthropic within; what is no text is no terms."""
    document = Document(b'{"model":"m","messages":[],"input":"hi","max_tokens":1}')
    dialogue = open_dialogue(name, name, document, FORMATS[name].head(document), "m")
    dialogue.answer(200, answer)
    assert dialogue.usage is not None
    assert dialogue.usage.terms == terms
