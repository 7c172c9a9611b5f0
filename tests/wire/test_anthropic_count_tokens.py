"""Anthropic's token counter."""

from headgate.wire.anthropic_count_tokens import AnthropicCountTokens
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.registry import open_dialogue

FORMAT = AnthropicCountTokens()


def test_counting_costs_nothing() -> None:
    """Its usage is known, and it is zero: never estimated, never billed."""
    document = Document(b'{"model":"claude","messages":[],"metadata":{"user_id":"u"}}')
    head = FORMAT.head(document)
    assert head == Head(model="claude", max_output_tokens=0, user="u")
    attempt = open_dialogue(FORMAT.name, FORMAT.name, document, head, "claude-x")
    sent = attempt.request()
    assert sent.headers == ((b"anthropic-version", b"2023-06-01"),)
    assert attempt.answer(200, b'{"input_tokens":14}') == b'{"input_tokens":14}'
    assert attempt.complete
    assert attempt.usage is not None
    assert attempt.usage.counts == {}
    assert attempt.delivered == 0
