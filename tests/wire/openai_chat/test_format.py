"""What policy reads of a chat completion request."""

import json

import pytest

from headgate.base.errors import InvalidRequest
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.openai_chat.format import OpenAIChat

FORMAT = OpenAIChat()


def head(**members: object) -> Head:
    return FORMAT.head(Document(json.dumps(members).encode()))


def test_the_head_of_a_full_request() -> None:
    """Everything that policy needs, and nothing else is touched."""
    assert head(
        model="gpt-4o", stream=True, max_completion_tokens=7, max_tokens=9, n=2, user="u1", metadata={"team": "a"}
    ) == Head(model="gpt-4o", stream=True, max_output_tokens=7, choices=2, user="u1", metadata={"team": "a"})


def test_what_is_absent_is_not_guessed() -> None:
    """No limit is None, not a default; null is absent."""
    assert head() == Head(model=None)
    assert head(model=None, stream=None, max_tokens=None, n=None, user=None, metadata=None) == Head(model=None)
    assert head(max_tokens=9).max_output_tokens == 9


def test_metadata_are_strings() -> None:
    """Scalars become strings of at most 128 characters; the rest is the provider's business."""
    given = {"a": "x" * 200, "b": 7, "c": 1.5, "d": True, "e": None, "f": [1], "g": {}}
    assert head(metadata=given).metadata == {"a": "x" * 128, "b": "7", "c": "1.5", "d": "true"}


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("model", 7),
        ("stream", "true"),
        ("max_tokens", "9"),
        ("max_tokens", 0),
        ("max_completion_tokens", -1),
        ("max_tokens", 1.5),
        ("n", 0),
        ("n", 129),
        ("user", {}),
        ("metadata", "x"),
    ],
)
def test_a_member_of_the_wrong_kind_is_refused_by_name(param: str, value: object) -> None:
    """A limit that could be read in two ways would be a hole in the budget."""
    with pytest.raises(InvalidRequest) as raised:
        head(**{param: value})
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("request_members", "model", "hidden"),
    [
        ({}, "gpt-4o", False),
        ({}, "o3-mini", True),
        ({}, "openai/gpt-5.1", True),
        ({}, "gpt-50", False),
        ({"reasoning_effort": "low"}, "m", True),
        ({"reasoning_effort": "none"}, "m", False),
        ({"reasoning_effort": None}, "m", False),
        ({"reasoning": {"effort": "high"}}, "m", True),
    ],
)
def test_models_that_reason_unseen(request_members: dict[str, object], model: str, hidden: bool) -> None:
    """What is delivered does not bound what they bill."""
    document = Document(json.dumps(request_members).encode())
    assert FORMAT.meter(document, FORMAT.head(document), model).hidden_tokens is hidden
