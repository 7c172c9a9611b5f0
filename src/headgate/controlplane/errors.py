"""Everything that can go wrong, in the one body that all clients of the contract can read."""

import math
from collections.abc import Sequence
from http import HTTPStatus
from string import ascii_uppercase
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from headgate.base.errors import HeadgateError, InvalidRequest, MethodNotAllowed, NotFound
from headgate.base.redaction import without_secrets
from headgate.wire.errors import openai_body

log = structlog.get_logger("headgate.controlplane")

_NO_OBJECT: Final = ("model_attributes_type", "model_type", "dict_type")


def render(error: HeadgateError) -> Response:
    headers = {} if error.retry_after is None else {"retry-after": str(math.ceil(error.retry_after))}
    return Response(openai_body(error), error.status, headers, media_type="application/json")


def invalid(errors: Sequence[Any]) -> InvalidRequest:
    """The first in words, all of them in `details`. Never what was sent: it may be a secret."""
    # Where a body is one object or a list of them, it is wrong for both; what was meant is what went wrong deeper in.
    ordered = sorted(errors, key=lambda each: -len(each["loc"]) if _either(each["loc"]) else 0)
    found = [(_field(each["loc"]), each["type"], str(each["msg"])) for each in ordered]
    param, kind, message = found[0]
    details = {"errors": [{"param": name, "message": why} for name, _, why in found]}
    return InvalidRequest(_worded(param, kind, message), param=param, details=details)


def _worded(param: str, kind: str, message: str) -> str:
    if kind == "missing":
        return f"`{param}` is missing."
    if kind in _NO_OBJECT:
        return f"`{param}` must be an object."
    return f"`{param}`: {message[:1].lower()}{message[1:]}."


def _field(location: Sequence[str | int]) -> str:
    inner = location[1:] if location[:1] in (("body",), ("query",), ("path",)) and len(location) > 1 else location
    if _either(location):
        inner = location[2:] or location[:1]
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in inner).removeprefix(".")


def _either(location: Sequence[str | int]) -> bool:
    """Whether it is in one of the shapes that a body can have, which are told apart by the names of their classes."""
    return location[:1] == ("body",) and len(location) > 1 and str(location[1]).startswith(("list[", *ascii_uppercase))


def _path(request: Request) -> str:
    """What was asked for; a key that somebody put into it is not repeated."""
    return str(without_secrets(request.url.path))[:200]


def install(app: FastAPI) -> None:
    """Have the application answer every error this way."""

    @app.exception_handler(HeadgateError)
    async def on_refusal(request: Request, error: HeadgateError) -> Response:
        return render(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        if error.errors()[0]["type"] == "json_invalid":
            return render(InvalidRequest("The body is not valid JSON.", param="body"))
        return render(invalid(error.errors()))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, HeadgateError):  # raised while the body was read, and covered by the framework
            return render(error.__cause__)
        if error.status_code == HTTPStatus.NOT_FOUND:
            return render(NotFound(f"There is nothing at {_path(request)}."))
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return render(MethodNotAllowed(f"{_path(request)} does not take {request.method[:20]}."))
        return render(InvalidRequest(str(error.detail), param="body"))

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> Response:
        return render(HeadgateError("Something went wrong in the gateway; it has been logged."))
