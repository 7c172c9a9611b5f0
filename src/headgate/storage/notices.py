"""PostgreSQL's LISTEN and NOTIFY: other processes hear of a change the moment it is committed."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from sqlalchemy import Connection

from headgate.base.errors import HeadgateError
from headgate.base.tasks import Tasks

_CHANNEL: Final = "headgate_changes"
AGAIN_S: Final = 1.0
"""Between two attempts to listen; meanwhile there is polling."""
Failed = Callable[[str, BaseException], None]


def announce(connection: Connection) -> None:
    """To all that listen, with the commit of this transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {_CHANNEL}")


class Listener(Protocol):
    async def listen(self, channel: str, wake: Callable[[], None]) -> None:
        """`wake` is called once it listens, and with each notice. Returns when the connection ends, or raises
        `Unavailable`."""
        ...


class Notices:
    """Listens on a connection of its own, and connects again. `wake` is called with each change, and whenever some may
    have been missed."""

    def __init__(self, database: Listener, wake: Callable[[], None], on_failure: Failed) -> None:
        self._database = database
        self._wake = wake
        self._on_failure = on_failure
        self._tasks = Tasks(on_failure)

    def start(self) -> None:
        self._tasks.start(self._run(), "notices of changes")

    async def close(self) -> None:
        await self._tasks.close()

    async def _run(self) -> None:
        while True:
            try:
                await self._database.listen(_CHANNEL, self._wake)
            except HeadgateError as error:
                self._on_failure("changes are not told at once, but looked for", error)
            await asyncio.sleep(AGAIN_S)
