"""A turn of the control plane: uvicorn's cycle around an ASGI application."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final, Protocol

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from headgate.dataplane.head import Target
from headgate.dataplane.turn import HIGH_WATER

_LOG: Final = logging.getLogger("uvicorn.error")


class Line(Protocol):
    """The client's connection, as a turn of the control plane needs it."""

    transport: asyncio.Transport
    flow: FlowControl
    app: Any
    app_state: dict[str, Any]

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]: ...

    def answered(self) -> None: ...


class AsgiTurn(RequestResponseCycle):
    """Implements `Turn`."""

    def __init__(
        self,
        line: Line,
        method: str,
        target: Target,
        http_version: str,
        headers: list[tuple[bytes, bytes]],
        *,
        keep_alive: bool,
        expects_continue: bool,
    ) -> None:
        transport = line.transport
        super().__init__(
            scope={
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.3"},
                "http_version": http_version,
                "server": get_local_addr(transport),
                "client": get_remote_addr(transport),
                "scheme": "https" if is_ssl(transport) else "http",
                "method": method,
                "root_path": "",
                "path": target.path,
                "raw_path": target.raw_path,
                "query_string": target.query,
                "headers": headers,
                "state": line.app_state.copy(),
            },
            transport=transport,
            flow=line.flow,
            logger=_LOG,
            access_logger=_LOG,
            access_log=False,
            default_headers=line.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=expects_continue,
            keep_alive=keep_alive,
            on_response=line.answered,
        )
        self._app = line.app

    @property
    def whole(self) -> bool:
        return not self.more_body

    @property
    def started(self) -> bool:
        return self.response_started

    @property
    def complete(self) -> bool:
        return self.response_complete

    @property
    def gone(self) -> bool:
        return self.disconnected

    def run(self) -> Coroutine[Any, Any, None]:
        return self.run_asgi(self._app)

    def feed(self, data: bytes) -> None:
        self.body += data
        if len(self.body) > HIGH_WATER:
            self.flow.pause_reading()
        self.message_event.set()

    def arrived(self) -> None:
        self.more_body = False
        self.message_event.set()

    def hang_up(self) -> None:
        self.disconnected = True
        self.message_event.set()
