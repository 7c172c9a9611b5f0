"""What an administrator says of the portal, and what it cannot be."""

from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from headgate.tenancy.portal import KeyAccess, Portal, origins, portal, portal_document


def test_the_tenant_s_word_is_over_the_workspace_s() -> None:
    """Field by field; what neither says is as it always is."""
    assert portal({}, {}) == Portal(keys=KeyAccess.READ, playground=True, request_log=True)
    workspace = portal_document({"keys": "manage", "playground": False})
    assert portal(workspace, portal_document({"keys": "none"})) == Portal(keys=KeyAccess.NONE, playground=False)
    assert portal(workspace, portal_document(None)).keys is KeyAccess.MANAGE


@pytest.mark.parametrize(
    ("value", "param"),
    [
        ([], "portal"),
        ("manage", "portal"),
        ({"keys": "all"}, "portal.keys"),
        ({"keys": ["manage"]}, "portal.keys"),
        ({"playground": "yes"}, "portal.playground"),
        ({"request_log": 1}, "portal.request_log"),
        ({"request_logs": True}, "portal.request_logs"),
    ],
)
def test_what_is_wrong_is_named(value: Any, param: str) -> None:
    """A misspelt field is not taken for one that is in force."""
    with pytest.raises(InvalidRequest) as refused:
        portal_document(value)
    assert refused.value.param == param


def test_origins_are_what_a_browser_calls_a_site() -> None:
    """Over TLS, or on one's own machine."""
    right = ("https://app.example.com", "https://app.example.com:8443", "http://localhost:3000", "https://[::1]:1")
    assert origins([*right]) == right
    assert origins(["HTTPS://App.Example.com"]) == ("https://app.example.com",)
    assert origins(None) == ()


@pytest.mark.parametrize(
    "text",
    [
        "app.example.com",
        "http://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?x",
        "https://me@app.example.com",
        "https://*.example.com",
        "https://a.example; script-src *",
        "https://a.example 'self'",
        "https://",
        "https://:80",
        "https://a.example:x",
        "*",
        "null",
        "'self'",
        "data:",
        "javascript://x",
    ],
)
def test_nothing_else_is_an_origin(text: str) -> None:
    """It goes into a header of every answer: nothing can be smuggled into it."""
    with pytest.raises(InvalidRequest) as refused:
        origins(["https://right.example", text])
    assert refused.value.param == "portal_origins[1]"
