"""`GET /metrics`, for those who run the gateway."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

from headgate.base.errors import Forbidden, HeadgateError, MethodNotAllowed, Unauthenticated
from headgate.dataplane.asgi import Receive, Scope, Send
from headgate.dataplane.door import METRICS
from headgate.telemetry.exposition import CONTENT_TYPE, Exposition
from headgate.wire.errors import openai_body

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
FORWARDED: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})


class MetricsPage:
    """An ASGI application.

    With a token, whoever sends it as a bearer may read. Without one, only a caller on this machine that no proxy
    stands before: the figures are the whole platform's. `refresh` is awaited before the figures are read. `gather`
    makes one page of this process's own and those of others; without it the own one is shown.
    """

    def __init__(self, exposition: Exposition, token: str | None, refresh: Callable[[], Awaitable[None]]) -> None:
        self._exposition = exposition
        self._token = token
        self.refresh = refresh
        self.gather: Callable[[bytes], Awaitable[bytes]] | None = None

    def own(self) -> bytes:
        """The figures of this process."""
        return self._exposition.page()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] not in ("GET", "HEAD"):
                raise MethodNotAllowed(f"`{METRICS}` takes GET.")
            self._admit(scope)
            await self.refresh()
            page = self.own()
            page = page if self.gather is None else await self.gather(page)
        except HeadgateError as error:
            await _respond(send, error.status, b"application/json", openai_body(error))
        else:
            await _respond(send, 200, CONTENT_TYPE.encode(), page)

    def _admit(self, scope: Scope) -> None:
        headers = [(name.lower(), value) for name, value in scope["headers"]]
        if self._token is not None:
            given = next((value for name, value in headers if name == b"authorization"), b"")
            if not hmac.compare_digest(given, b"Bearer " + self._token.encode()):
                raise Unauthenticated("Send the token of `HEADGATE_METRICS_TOKEN` as `Authorization: Bearer <token>`.")
            return
        client = scope.get("client")
        if client is None or client[0] not in LOOPBACK or any(name in FORWARDED for name, _ in headers):
            raise Forbidden(
                "Metrics are for this machine only. Set `HEADGATE_METRICS_TOKEN` to read them from elsewhere.",
                code="metrics_closed",
            )


async def _respond(send: Send, status: int, content_type: bytes, body: bytes) -> None:
    headers = [
        (b"content-type", content_type),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
