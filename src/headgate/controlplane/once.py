"""The header `Idempotency-Key` on every `POST`: a request that is sent again is answered, not carried out, again."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import structlog
from fastapi import Request
from starlette.responses import Response

from headgate.base.errors import HeadgateError
from headgate.controlplane.errors import render
from headgate.tenancy.idempotency import Idempotency
from headgate.tenancy.principal import Principal

REPLAYED: Final = "x-headgate-replayed"
log = structlog.get_logger("headgate.controlplane")


async def once(
    idempotency: Idempotency, request: Request, key: str, handle: Callable[[Request], Awaitable[Response]]
) -> Response:
    """The answer, the first one again where there is one. An answer of 500 or more is none, and neither is that the
    body could not be read."""
    principal: Principal = request.state.principal
    target = f"{request.method} {request.url.path.removeprefix('/v1')}?{request.url.query}\n".encode()
    claim, answered = await idempotency.claim(principal, key, target + await request.body())
    if answered is not None:
        return Response(answered, claim.status or 200, {REPLAYED: "true"}, media_type="application/json")
    request.state.principal = replace(principal, claim=claim)
    try:
        response = await _answer(request, handle)
    except Exception:
        await idempotency.release(claim)
        raise
    try:
        await idempotency.keep(claim, response.status_code, bytes(response.body))
    except HeadgateError as error:
        # What was asked for is done, and the caller is told so now; the same key will say that its answer was lost.
        log.warning("answer not kept", error=error.message)
    return response


async def _answer(request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        return await handle(request)
    except HeadgateError as error:
        if error.status >= 500:
            raise
        return render(error)
