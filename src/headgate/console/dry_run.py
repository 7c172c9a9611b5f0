"""Where a call would go, and why: asked of the data plane, which sends, holds and counts nothing for it."""

import json
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import Response

from headgate.base.errors import HeadgateError, InvalidRequest, Unavailable
from headgate.console import places
from headgate.console.visit import HOME, Visit
from headgate.dataplane.endpoints import CHAT, EXPLAIN, MESSAGES, RESPONSES
from headgate.dataplane.inside import Inside
from headgate.tenancy.policy import Policy

DRY_RUN: Final = f"{HOME}/dry-run"
SCOPES: Final = ("tenants.read", "workspaces.read")
ENDPOINTS: Final = (CHAT.path, RESPONSES.path, MESSAGES.path)
EXAMPLE: Final = "Compare these two contracts."
_NAMES: Final = ("key", "tenant", "workspace", "model", "config", "message", "max_tokens", "endpoint", "metadata")
_TOOL: Final = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
_LONGEST_ANSWER: Final = 10_000_000


async def show(visit: Visit) -> Response:
    """A form; what the address names is in it."""
    fields = {name: visit.query.get(name, "") for name in _NAMES}
    usual = {"model": "auto", "message": EXAMPLE, "max_tokens": "1000", "endpoint": CHAT.path}
    return await _page(visit, {name: fields[name] or usual.get(name, "") for name in _NAMES})


async def run(visit: Visit) -> Response:
    """The same form, and under it every step that such a call would take."""
    fields = {name: visit.form.one(name) for name in _NAMES}
    try:
        if visit.console.inside is None:
            raise Unavailable("This process takes no calls, so it cannot say where one would go.")
        body = _body(fields, tools=bool(visit.form.one("tools")))
        policy, whose = await visit.services.stand_ins.policy(
            visit.principal, key=fields["key"], tenant=fields["tenant"], workspace=fields["workspace"]
        )
        status, told = await _asked(visit.console.inside, policy, fields, body)
    except HeadgateError as error:
        return await _page(visit, fields, error=error)
    if status != 200:
        return await _page(visit, fields, whose=whose, refused=told["error"], status=status)
    return await _page(visit, fields, whose=whose, told=told)


async def _asked(inside: Inside, policy: Policy, fields: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    headers = {}
    if config := fields["config"]:
        headers["x-portkey-config"] = _header(config)
    path = f"{EXPLAIN.path}?endpoint={quote(fields['endpoint'] or CHAT.path)}"
    async with inside.call(policy, EXPLAIN.method, path, body, headers) as made:
        return made.answer.status, await made.answer.json()


def _header(config: str) -> str:
    """A slug, or JSON on one line. Raises `InvalidRequest`."""
    if not config.startswith("{"):
        if not (config.isascii() and config.isprintable()):
            raise InvalidRequest("`config` is neither a slug nor JSON.", param="config")
        return config
    try:
        return json.dumps(json.loads(config))
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"`config` is no JSON: {error}.", param="config") from None


def _body(fields: dict[str, str], *, tools: bool) -> dict[str, Any]:
    """The very request, as a program would send it there."""
    most, endpoint = fields["max_tokens"], fields["endpoint"]
    found: dict[str, Any] = {}
    if model := fields["model"]:
        found["model"] = model
    if endpoint == RESPONSES.path:
        found["input"] = fields["message"]
    else:
        found["messages"] = [{"role": "user", "content": fields["message"]}]
    if most:
        if not (most.isascii() and most.isdigit() and 1 <= int(most[:9]) <= _LONGEST_ANSWER):
            raise InvalidRequest(f"`max_tokens` must be 1 to {_LONGEST_ANSWER:,}.", param="max_tokens")
        found["max_output_tokens" if endpoint == RESPONSES.path else "max_tokens"] = int(most)
    if fields["metadata"]:
        pairs = [line.partition("=") for line in fields["metadata"].splitlines() if line.strip()]
        found["metadata"] = {name.strip(): value.strip() for name, _, value in pairs}
    if tools:
        found["tools"] = [_TOOL]
    return found


async def _page(
    visit: Visit,
    fields: dict[str, str],
    *,
    whose: str = "",
    told: Any = None,
    refused: Any = None,
    error: HeadgateError | None = None,
    status: int = 200,
) -> Response:
    return visit.page(
        "dry_run.html",
        status=error.status if error else status,
        fields=fields,
        tools=bool(visit.form.one("tools")),
        endpoints=ENDPOINTS,
        workspaces=(await places.workspaces(visit)).values(),
        whose=whose,
        told=told,
        refused=refused,
        error=error,
    )
