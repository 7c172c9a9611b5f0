"""What policy reads of a messages request."""

import json

import pytest

from headgate.base.errors import InvalidRequest
from headgate.wire.anthropic_messages.format import AnthropicMessages
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.registry import open_dialogue

FORMAT = AnthropicMessages()


def head(**members: object) -> Head:
    return FORMAT.head(Document(json.dumps(members).encode()))


def test_the_head_of_a_full_request() -> None:
    """`metadata.user_id` is the user."""
    given = {"user_id": "u1", "team": "a"}
    assert head(model="claude", stream=True, max_tokens=7, metadata=given) == Head(
        model="claude", stream=True, max_output_tokens=7, user="u1", metadata={"team": "a"}
    )
    assert head() == Head(model=None)
    assert head(max_tokens=0).max_output_tokens == 0  # warms the cache


@pytest.mark.parametrize(
    ("param", "value"), [("model", []), ("stream", 1), ("max_tokens", -1), ("max_tokens", "7"), ("metadata", [])]
)
def test_a_member_of_the_wrong_kind_is_refused_by_name(param: str, value: object) -> None:
    """The error says which."""
    with pytest.raises(InvalidRequest) as raised:
        head(**{param: value})
    assert raised.value.param == param


def test_the_version_goes_up_and_nothing_else_changes() -> None:
    """Anthropic demands the header; its streams report usage unasked."""
    document = Document(b'{ "model":"claude", "stream":true, "max_tokens":1 }')
    sent = open_dialogue(FORMAT.name, FORMAT.name, document, FORMAT.head(document), "claude-x").request()
    assert sent.headers == ((b"anthropic-version", b"2023-06-01"),)
    assert sent.body == b'{ "model":"claude-x", "stream":true, "max_tokens":1 }'
