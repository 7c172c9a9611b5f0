"""Gateway errors in each format's words."""

import json

import pytest

from headgate.base.errors import (
    Exhausted,
    Forbidden,
    GuardrailDenied,
    HeadgateError,
    InvalidRequest,
    NotFound,
    RateLimited,
    TimedOut,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    UpstreamFailed,
)
from headgate.wire.errors import anthropic_body, anthropic_event, openai_body, openai_event, responses_event
from headgate.wire.sse import EventSplitter

ERROR = Exhausted("The budget of `acme` is used up.", param="model", details={"asked": 5, "left": 2})


def data_of(event: bytes) -> tuple[bytes, dict[str, object]]:
    (read,) = EventSplitter().feed(event)
    return read.name, json.loads(read.data)


def test_openai_body_serves_both_kinds_of_clients() -> None:
    """OpenAI's SDK reads `error`, the control plane's clients read `message` and `data`."""
    assert json.loads(openai_body(ERROR)) == {
        "status": "failure",
        "success": False,
        "message": "The budget of `acme` is used up.",
        "error": {
            "message": "The budget of `acme` is used up.",
            "type": "budget_exhausted_error",
            "param": "model",
            "code": "04",
            "details": {"asked": 5, "left": 2},
        },
        "data": {"message": "The budget of `acme` is used up."},
    }


def test_anthropic_body_keeps_figures() -> None:
    """The type is one of Anthropic's; code and details stand beside it."""
    body = json.loads(anthropic_body(ERROR))
    assert body["type"] == "error"
    assert body["error"]["type"] == "permission_error"
    assert body["error"]["code"] == "04"
    assert body["error"]["details"] == {"asked": 5, "left": 2}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequest("x"), "invalid_request_error"),
        (Unauthenticated("x"), "authentication_error"),
        (Forbidden("x"), "permission_error"),
        (NotFound("x"), "not_found_error"),
        (TimedOut("x"), "timeout_error"),
        (TooLarge("x"), "request_too_large"),
        (Unprocessable("x"), "invalid_request_error"),
        (RateLimited("x"), "rate_limit_error"),
        (GuardrailDenied("x"), "permission_error"),
        (HeadgateError("x"), "api_error"),
        (UpstreamFailed("x"), "api_error"),
        (Unavailable("x"), "overloaded_error"),
    ],
)
def test_anthropic_types(error: HeadgateError, kind: str) -> None:
    """Each status has the type that Anthropic's clients know for it."""
    assert json.loads(anthropic_body(error))["error"]["type"] == kind


def test_stream_events() -> None:
    """Each format tells an error inside a stream in its own way; none of them says that the answer is whole."""
    name, data = data_of(openai_event(ERROR))
    assert (name, set(data)) == (b"", {"error"})
    name, data = data_of(anthropic_event(ERROR))
    assert (name, data["type"]) == (b"error", "error")
    name, data = data_of(responses_event(ERROR, 7))
    assert (name, data["type"], data["sequence_number"]) == (b"error", "error", 7)
    assert data["message"] == ERROR.message
    assert data["code"] == "04"


def test_details_of_any_kind_are_rendered() -> None:
    """An error is never lost because a figure in it has no JSON of its own."""
    body = json.loads(openai_body(InvalidRequest("x", details={"odd": object, "set": {1}})))
    assert set(body["error"]["details"]) == {"odd", "set"}


def test_half_of_a_surrogate_pair_is_no_obstacle() -> None:
    """A message that names what a client sent is told whatever that was."""
    error = InvalidRequest("`\ud800` is not known.", param="a.\udfff", details={"errors": [{"\ud800": ("\ud800",)}]})
    for body in (openai_body(error), anthropic_body(error)):
        assert json.loads(body)["error"]["message"] == "`?` is not known."
    assert json.loads(openai_body(error))["error"]["details"] == {"errors": [{"?": ["?"]}]}
