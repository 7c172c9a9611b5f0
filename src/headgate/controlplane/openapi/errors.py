"""How operations refuse: one body for all of it, and the statuses that each operation can answer."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi.routing import APIRoute

from headgate.controlplane.caller import Chooses, Needs, OpenTo
from headgate.controlplane.openapi.shape import Shape


class ErrorMembers(Shape):
    """What went wrong, for programs. `param` is the field at fault, `code` and `type` the kind."""

    message: str
    type: str
    param: str | None
    code: str | None
    details: dict[str, Any]


class ErrorMessage(Shape):
    message: str


class Error(Shape):
    """One body for the clients of all contracts: each finds its own members."""

    status: str
    success: bool
    message: str
    error: ErrorMembers
    data: ErrorMessage


MEANINGS: Final[Mapping[int, str]] = {
    400: "What was sent cannot be: `param` names the field.",
    401: "No API key, or one that is unknown, revoked or expired.",
    403: "The API key lacks the scope, or the right over this object.",
    404: "There is no such object, or none that this API key may see.",
    409: "It cannot be as things stand; or the same `Idempotency-Key` is under way (then with `retry-after`).",
    413: "The body is larger than this server takes.",
    422: "The `Idempotency-Key` was used for another request.",
    503: "The database does not answer; nothing was changed.",
}
_EXAMPLES: Final[Mapping[int, tuple[str, str, str, str | None]]] = {
    400: ("`name` is missing.", "invalid_request_error", "AB01", "name"),
    401: ("No API key. Send it as `x-portkey-api-key` or `Authorization: Bearer <key>`.", "authentication_error", "03",
          None),
    403: ("This API key lacks the scope `workspaces.create`.", "permission_error", "AB03", None),
    404: ("There is no workspace `workspace-gold`.", "not_found_error", "AB08", None),
    409: ("There is a workspace named `workspace-starter` already.", "conflict_error", "AB07", "name"),
    413: ("The body is larger than 33554432 bytes.", "request_too_large", "request_too_large", None),
    422: ("This `Idempotency-Key` was used for another request. Send a new one.", "invalid_request_error", "AB02",
          "Idempotency-Key"),
    503: ("The database does not answer.", "unavailable_error", "unavailable", None),
}  # fmt: skip
NAMING: Final = frozenset(
    (
        *("workspace_id", "workspace_slug", "workspaces", "tenant_id", "integration_id", "organisation_id"),
        *("user_id", "users", "token"),
    )
)
"""Fields and parameters that name another object."""
_NEVER_IN_THE_WAY: Final = ("/api-keys", "/admin/webhooks", "/admin/alerts", "/admin/organisation", "/admin/cache",
                            "/policies", "/feedback", "/admin/system")  # fmt: skip
"""What can be changed and removed whatever else there is."""
_NOT_YET: Final = "/logs/exports/{export_id}/download"
"""What can be looked at only after something was done."""


def component(status: int) -> str:
    """The name of its response among the components: `BadRequest`."""
    return HTTPStatus(status).phrase.title().replace(" ", "")


def responses(schema: str) -> dict[str, Any]:
    """The components, all with this schema."""
    return {
        component(status): {
            "description": meaning,
            "content": {"application/json": {"schema": {"$ref": schema}, "example": _example(*_EXAMPLES[status])}},
        }
        for status, meaning in MEANINGS.items()
    }


def statuses(route: APIRoute, method: str, operation: Mapping[str, Any], named: frozenset[str]) -> Iterator[int]:
    """Those that a route can answer, besides success. `named` are the fields of its body."""
    declared = [each.call for each in route.dependant.dependencies]
    parameters = {each["name"]: each["in"] for each in operation.get("parameters", ())}
    yield 400
    if not any(isinstance(each, OpenTo) for each in declared):
        yield 401
    if any(isinstance(each, Needs | Chooses) and each.scopes for each in declared):
        yield 403
    if "path" in parameters.values() or NAMING & (parameters.keys() | named):
        yield 404
    if method == "POST" or route.path == _NOT_YET or (method != "GET" and not route.path.startswith(_NEVER_IN_THE_WAY)):
        yield 409
    if method != "GET":
        yield 413
    if method == "POST":
        yield 422
    yield 503


def _example(message: str, kind: str, code: str, param: str | None) -> dict[str, Any]:
    members: dict[str, Any] = {"message": message, "type": kind, "param": param, "code": code, "details": {}}
    return {
        "status": "failure",
        "success": False,
        "message": message,
        "error": members,
        "data": {"message": message},
    }
