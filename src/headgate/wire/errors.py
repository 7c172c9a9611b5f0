"""A gateway error in the words of the client's format: as a whole answer, and as the event that ends a stream.

OpenAI's members and the control plane's stand side by side in one body (`contract` clients read `message` and `data`,
OpenAI's SDK reads `error`). The HTTP status is the caller's to set.
"""

from typing import Any, Final

import msgspec

from headgate.base.errors import HeadgateError

_ANTHROPIC_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    412: "permission_error",
    413: "request_too_large",
    429: "rate_limit_error",
    431: "request_too_large",
    446: "permission_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
}

_strict = msgspec.json.Encoder(enc_hook=str).encode


def _encode(document: dict[str, Any]) -> bytes:
    """A message may name what a client sent, and that may hold half of a surrogate pair: `?` stands in its place."""
    try:
        return _strict(document)
    except UnicodeEncodeError:
        return _strict(_legible(document))


def _legible(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_legible(name): _legible(each) for name, each in value.items()}
    return [_legible(each) for each in value] if isinstance(value, list | tuple) else value


def _members(error: HeadgateError) -> dict[str, Any]:
    return {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
        "details": dict(error.details),
    }


def openai_body(error: HeadgateError) -> bytes:
    """The superset body of OpenAI's clients and the control plane's."""
    return _encode(
        {
            "status": "failure",
            "success": False,
            "message": error.message,
            "error": _members(error),
            "data": {"message": error.message},
        }
    )


def openai_event(error: HeadgateError) -> bytes:
    """A chat or text completion stream tells errors in a chunk that has `error` and nothing else."""
    return b"data: %b\n\n" % _encode({"error": _members(error)})


def anthropic_body(error: HeadgateError) -> bytes:
    """Anthropic's body; what its clients do not know stands beside what they do."""
    kind = _ANTHROPIC_TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
    return _encode({"type": "error", "error": {**_members(error), "type": kind}})


def anthropic_event(error: HeadgateError) -> bytes:
    return b"event: error\ndata: %b\n\n" % anthropic_body(error)


def responses_event(error: HeadgateError, sequence_number: int) -> bytes:
    """The Responses API's `error` event: its members stand at the top, and `type` is the event's name."""
    members = {**_members(error), "type": "error", "sequence_number": sequence_number}
    return b"event: error\ndata: %b\n\n" % _encode(members)
