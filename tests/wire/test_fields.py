"""Members of a request read one by one: nothing is dropped unseen."""

import pytest

from headgate.base.errors import InvalidRequest
from headgate.wire.fields import Fields, Harmless


def test_what_nobody_read_is_refused_by_name() -> None:
    """With its place in the request."""
    fields = Fields({"read": 1, "left": 2}, "messages[3]")
    fields.take("read")
    with pytest.raises(InvalidRequest) as refused:
        fields.done()
    assert refused.value.param == "messages[3].left"


@pytest.mark.parametrize("value", [None, [], {}])
def test_null_and_empty_ask_for_nothing(value: object) -> None:
    """A client that spells out a default is not refused for it."""
    Fields({"left": value}).done()


def test_harmless_members_are_left_out_with_the_values_that_are() -> None:
    """A rule without values holds for all."""
    rules = {"label": Harmless("a label"), "store": Harmless("nothing is kept", (False,))}
    Fields({"label": "x", "store": False}).done(rules)
    with pytest.raises(InvalidRequest) as refused:
        Fields({"store": True}).done(rules)
    assert refused.value.param == "store"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (True, "integer"),
        (1.0, "integer"),
        (-1, "integer"),
        ("1", "number"),
        (True, "number"),
        (1, "boolean"),
        (1, "string"),
        ([], "mapping"),
        ("x", "object"),
        ({}, "objects"),
        ([1], "objects"),
        ([1], "strings"),
        (None, "text"),
    ],
)
def test_a_member_of_the_wrong_kind_is_refused_by_name(value: object, read: str) -> None:
    """No guessing: `true` is not 1, and `1.0` not an integer."""
    with pytest.raises(InvalidRequest) as refused:
        getattr(Fields({"x": value}), read)("x")
    assert refused.value.param is not None
    assert refused.value.param.startswith("x")
