"""Calls from the portal: through the same pipeline as any other, with the tenant's policy, and billed to it."""

import json
from decimal import Decimal
from typing import Any, Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from headgate.analytics.log_lines import line
from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.console.portal import models
from headgate.console.portal.visit import PortalVisit
from headgate.dataplane.endpoints import CHAT
from headgate.dataplane.inside import Inside
from headgate.ledger.record import UsageRecord
from headgate.tenancy.policy import Policy

LONGEST_ANSWER: Final = 100_000
_EVENTS: Final = "text/event-stream"


async def show(visit: PortalVisit) -> Response:
    """An empty form."""
    return await _page(visit, {"model": visit.query.get("model", ""), "system": "", "message": "", "max_tokens": "500"})


async def call(visit: PortalVisit) -> Response:
    """To the page's script the answer as it comes, and then what it cost; to a browser without, a page with both."""
    typed = {name: visit.form.one(name) for name in ("model", "system", "message", "max_tokens")}
    streams = _EVENTS in visit.request.headers.get("accept", "")
    try:
        body = _body(typed)
        policy = await visit.policy()
    except HeadgateError as error:
        if streams:
            return Response(_error(error.message), error.status, media_type="application/json")
        return await _page(visit, typed, error=error.message, status=error.status)
    if streams:
        return _Relayed(visit.site.inside, policy, {**body, "stream": True})
    async with visit.site.inside.call(policy, CHAT.method, CHAT.path, body) as made:
        told = await made.answer.json()
        record = await made.record()
    if made.answer.status >= 400:
        return await _page(visit, typed, error=_message(told), status=made.answer.status)
    answer = told["choices"][0]["message"].get("content") or ""
    return await _page(visit, typed, answer=answer, settled=None if record is None else line(record))


class _Relayed(StreamingResponse):
    """The answer's own events as they come, and one of ours after them. A browser that leaves ends the call."""

    def __init__(self, inside: Inside, policy: Policy, body: dict[str, Any]) -> None:
        super().__init__(iter(()), media_type=_EVENTS)
        self._inside = inside
        self._policy = policy
        self._asked = body

    async def stream_response(self, send: Send) -> None:
        async with self._inside.call(self._policy, CHAT.method, CHAT.path, self._asked) as made:
            kind = made.answer.headers.get("content-type", "application/json")
            headers = [(b"content-type", kind.encode()), (b"x-accel-buffering", b"no")]
            await send({"type": "http.response.start", "status": made.answer.status, "headers": headers})
            async for part in made.answer:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            record = await made.record()
        last = _settled(record) if record is not None and kind.startswith(_EVENTS) else b""
        await send({"type": "http.response.body", "body": last, "more_body": False})


def _body(typed: dict[str, str]) -> dict[str, Any]:
    if not typed["message"]:
        raise InvalidRequest("Write a message first.", param="message")
    most = typed["max_tokens"]
    if not (most.isascii() and most.isdigit() and 1 <= int(most[:9]) <= LONGEST_ANSWER):
        raise InvalidRequest(f"The longest answer must be 1 to {LONGEST_ANSWER} tokens.", param="max_tokens")
    system = [{"role": "system", "content": typed["system"]}] if typed["system"] else []
    messages = [*system, {"role": "user", "content": typed["message"]}]
    return {"model": typed["model"], "max_tokens": int(most), "messages": messages}


def _settled(record: UsageRecord) -> bytes:
    told = line(record)
    figures = {
        "request_id": told["id"],
        "model": told["ai_model"],
        "input_tokens": told["req_units"],
        "output_tokens": told["res_units"],
        "cost_usd": f"{Decimal(told['cost']) / 100:f}",
        "milliseconds": f"{Decimal(told['response_time']):.0f}",
    }
    return f"event: settled\ndata: {json.dumps(figures)}\n\n".encode()


def _error(message: str) -> bytes:
    return json.dumps({"error": {"message": message}}).encode()


def _message(told: Any) -> str:
    return str(told["error"]["message"])


async def _page(
    visit: PortalVisit,
    typed: dict[str, str],
    *,
    answer: str | None = None,
    settled: dict[str, Any] | None = None,
    error: str | None = None,
    status: int = 200,
) -> Response:
    return visit.page(
        "playground.html",
        status=status,
        typed=typed,
        models=await models.names(visit),
        answer=answer,
        settled=settled,
        error=error,
    )
