"""The headers of every answer of console and portal, whatever it is."""

import os
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

import structlog
from starlette.requests import Request

from headgate.base.clock import Clock
from headgate.base.ids import RandomBytes, request_id

log = structlog.get_logger("headgate.console")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors "
)
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
_FRAMED_BY: Final = "headgate.framed_by"


def headers_of(framed_by: Sequence[str] = ()) -> list[tuple[bytes, bytes]]:
    """No inline script or style, nothing from elsewhere, and in a frame of nobody but these origins."""
    policy = (b"content-security-policy", (_POLICY + (" ".join(framed_by) or "'none'")).encode())
    return [policy, *_ALWAYS] if framed_by else [policy, (b"x-frame-options", b"DENY"), *_ALWAYS]


HEADERS: Final = tuple(headers_of())


def may_be_framed(request: Request, origins: Sequence[str]) -> None:
    """The answer to this request may be shown in a frame of these sites."""
    request.scope[_FRAMED_BY][:] = origins


class Secured:
    """`secure`: whether people reach us over TLS."""

    def __init__(
        self, app: AsgiApp, clock: Clock, secure: Callable[[Request], bool], random_bytes: RandomBytes = os.urandom
    ) -> None:
        self._app = app
        self._clock = clock
        self._secure = secure
        self._random_bytes = random_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        identifier = request_id(self._clock.now(), self._random_bytes)
        framed_by: list[str] = []
        scope = {**scope, "headgate.request_id": identifier, _FRAMED_BY: framed_by}
        secure = self._secure(Request(scope))

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = [*headers_of(framed_by), (b"x-headgate-request-id", identifier.encode())]
                if secure:
                    ours.append(_HSTS)
                if b"cache-control" not in {name for name, _ in message["headers"]}:
                    ours.append((b"cache-control", b"no-store"))
                message["headers"] = [*message["headers"], *ours]
            await send(message)

        try:
            await self._app(scope, receive, secured)
        except Exception:
            # The framework has answered 500 by now and raises for whoever logs.
            log.exception("page crashed", request_id=identifier, path=scope["path"])
