"""The metadata of a call."""

import pytest

from headgate.dataplane.metadata import LONGEST, MOST, metadata_of
from headgate.wire.dialogue import Head
from tests.support.policies import HeadersOnly, policy


def merged(header: str | None = None, own: dict[str, str] | None = None, **head: object) -> dict[str, str]:
    headers = [] if header is None else [(b"x-portkey-metadata", header.encode())]
    request = Head(model="m", **head)  # type: ignore[arg-type]
    return metadata_of(HeadersOnly(headers), request, policy(metadata=own))  # type: ignore[arg-type]


def test_workspace_and_key_win_over_the_request() -> None:
    """A customer cannot claim another tier by a header (R1.5)."""
    given = merged('{"tier": "enterprise", "feature": "chat"}', {"tier": "starter"}, metadata={"tier": "gold"})
    assert given == {"tier": "starter", "feature": "chat"}


def test_the_header_wins_over_the_body() -> None:
    """Both are the request's; the header is the gateway's own."""
    assert merged('{"a": "header"}', metadata={"a": "body", "b": "body"}) == {"a": "header", "b": "body"}


def test_user_becomes_the_special_key_unless_it_was_given() -> None:
    """R1.4: the body's `user` is copied to `_user`."""
    assert merged(user="u-1") == {"_user": "u-1"}
    assert merged('{"_user": "explicit"}', user="u-1") == {"_user": "explicit"}


@pytest.mark.parametrize("header", ["", "{", "[]", "null", '"x"', '{"a": [1]}'])
def test_a_malformed_header_is_ignored(header: str) -> None:
    """As the contract says: the call is not refused for it."""
    assert merged(header) == {}


def test_scalars_become_text_and_sizes_are_bounded() -> None:
    """Values are strings of at most 128 characters, and there is a most number of keys."""
    assert merged('{"n": 500, "f": 1.5, "b": true, "none": null}') == {"n": "500", "f": "1.5", "b": "true"}
    assert len(merged('{"long": "' + "x" * 1000 + '"}')["long"]) == LONGEST
    assert merged('{"' + "k" * 129 + '": "v"}', metadata={"a": "b"}) == {"a": "b"}
    many = ", ".join(f'"k{number}": "v"' for number in range(1000))
    assert len(merged("{" + many + "}")) == MOST


def test_what_a_body_brings_takes_nothing_from_the_header() -> None:
    """A backend's header names its customer; the body may be the customer's own, as long as he likes."""
    body = {f"k{number}": "v" for number in range(2 * MOST)}
    given = merged('{"account": "acme"}', metadata=body, user="u-1")
    assert (len(given), given["account"], given["_user"]) == (MOST, "acme", "u-1")
