"""All parts of a gateway in several processes, each of which may be killed: a node of two workers under a supervisor, a
node of one process behind lines of its own, a PostgreSQL and a Valkey, in front of one simulator; and callers who never
stop."""

import asyncio
import os
import signal
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from headgate.base.errors import HeadgateError
from headgate.base.money import NANOS_PER_USD
from headgate.process.data_dir import DataDirLock
from tests.support.databases import create_postgres_database
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.gateway import ADDRESS, simulated_providers
from tests.support.mix import a_request
from tests.support.money_oracle import Recorded, wrongs
from tests.support.mortal import Mortal
from tests.support.postgres_records import usage_records_in
from tests.support.processes import running
from tests.support.services import PostgresServer
from tests.support.swarm import Seen, send, told
from tests.support.valkey import Valkey

WORKERS: Final = 2
CALLERS: Final = 8
BUDGET: Final = 0.02
WITHIN_S: Final = 30.0
TROUBLE_S: Final = 1.5
ENVIRONMENT: Final = {
    "HEADGATE_DEFAULT_MAX_OUTPUT_TOKENS": "240",
    "HEADGATE_READ_AFTER_HANGUP_S": "1",
    "HEADGATE_DRAIN_TIMEOUT_S": "3",
}


class Deployment:
    """`kills` end a part by SIGKILL and start it again; `troubles` last for a while, longer than anybody is waited for.
    `keys` have small budgets; callers use the newest."""

    def __init__(
        self,
        nodes: tuple[Mortal, Mortal],
        postgres: PostgresServer,
        valkey: Valkey,
        lines: tuple[FaultProxy, FaultProxy],
        url: str,
    ) -> None:
        self._workers, self._single = nodes
        self._postgres = postgres
        self._valkey = valkey
        self._url = url
        self._ended = False
        self._news = asyncio.Condition()
        self.keys: dict[str, str] = {}
        self.log: list[Seen] = []
        gateway = self._workers.gateway
        self._workspace = gateway.workspace("kills")
        for provider in simulated_providers(gateway.simulator):
            gateway.integrate(provider, [self._workspace])
        to_postgres, to_valkey = lines
        self.kills: dict[str, Callable[[], None]] = {
            "worker": self._kill_a_worker,
            "supervisor": self._kill_the_supervisor,
            "node": self._kill_the_node,
            "valkey": self._kill_valkey,
            "postgres": self._kill_postgres,
        }
        self.troubles: dict[str, AbstractContextManager[None]] = {
            "valkey stands still": _stopped(lambda: self._valkey.process),
            "postgres stands still": postgres.paused(),
            "node stands still": _stopped(lambda: self._single.gateway.process),
            "to valkey nothing arrives": _mute(to_valkey, down=False),
            "from valkey nothing arrives": _mute(to_valkey, up=False),
            "no way to valkey": _refused(to_valkey),
            "to postgres nothing arrives": _mute(to_postgres, down=False),
            "from postgres nothing arrives": _mute(to_postgres, up=False),
            "no way to postgres": _refused(to_postgres),
        }

    async def new_key(self) -> None:
        """In a thread: the lines are of this loop, and another node may have to answer first."""
        limits = {"credit_limit": BUDGET}
        made = await asyncio.to_thread(self._workers.gateway.new_key, self._workspace, usage_limits=limits)
        self.keys[made["id"]] = str(made["key"])

    async def kill(self, part: str) -> None:
        """Returns when it is there again."""
        await asyncio.to_thread(self.kills[part])

    async def upgrade(self, part: str, source: Path) -> None:
        """It ends in order, and starts with the `headgate` that lies in `source`, as it will from now on."""
        node = {"workers": self._workers, "node": self._single}[part]
        node.environment["PYTHONPATH"] = f"{source}{os.pathsep}{node.environment['PYTHONPATH']}"
        await asyncio.to_thread(node.end)
        await asyncio.to_thread(node.start)

    async def trouble(self, kind: str) -> None:
        """Each kind once."""
        with self.troubles[kind]:
            await asyncio.sleep(TROUBLE_S)  # why: it lasts so long

    # -- parts ------------------------------------------------------------------------------------------------------

    def _kill_a_worker(self) -> None:
        ready = self._workers.ready_workers()
        os.kill(dict(ready)[1 + len(ready) % WORKERS], signal.SIGKILL)
        self._workers.wait_for_workers(len(ready) + 1)

    def _kill_the_supervisor(self) -> None:
        """Its workers end by themselves; until they have, nobody else gets their directory."""
        self._workers.kill()
        while True:
            with suppress(HeadgateError):
                DataDirLock.take(self._workers.gateway.data_dir).release()
                break
        self._workers.start()
        self._workers.wait_for_workers(WORKERS)

    def _kill_the_node(self) -> None:
        self._single.kill()
        self._single.start()

    def _kill_valkey(self) -> None:
        self._valkey.kill()
        self._valkey.start()

    def _kill_postgres(self) -> None:
        self._postgres.end(signal.SIGQUIT)
        self._postgres.start()

    # -- callers ----------------------------------------------------------------------------------------------------

    def begin_calls(self) -> None:
        loop = asyncio.get_running_loop()
        self._callers = [loop.create_task(self._caller(number)) for number in range(CALLERS)]

    async def end_calls(self) -> None:
        """Returns once the last was answered."""
        self._ended = True
        await asyncio.gather(*self._callers)

    async def _caller(self, number: int) -> None:
        random = Random(number)
        nodes = (self._workers, self._single)
        while not self._ended:
            key = list(self.keys.values())[-1]
            seen = await send(nodes[random.randrange(2)].gateway.url, key, a_request(random, bad=0.05))
            self.log.append(seen)
            async with self._news:
                self._news.notify_all()
            if seen.status != 200:
                await asyncio.sleep(0.05)  # why: as a client does that was refused

    async def more_calls(self, count: int) -> None:
        """Returns once so many more were answered in full: a new key has the budget for them."""
        before = self._answered()
        async with asyncio.timeout(WITHIN_S), self._news:
            await self._news.wait_for(lambda: self._answered() >= before + count)

    def _answered(self) -> int:
        return sum(seen.status == 200 and seen.whole for seen in self.log)

    # -- books ------------------------------------------------------------------------------------------------------

    async def books(self) -> None:
        """All have ended in order: nothing is lost, nothing is twice, and no budget was passed."""
        for each in (self._workers, self._single):
            each.gateway.process.send_signal(signal.SIGTERM)
        for each in (self._workers, self._single):
            assert await asyncio.to_thread(each.gateway.process.wait, WITHIN_S) == 0
        self._single.quiet()
        records = await usage_records_in(self._url)
        found = wrongs(self._single.gateway.bills(), map(Recorded.of_row, records.values()), told(self.log))
        assert not found, "\n".join(found[:20])
        for key_id in self.keys:
            spent = sum(row["cost"] for row in records.values() if row["key_id"] == key_id)
            assert spent <= BUDGET * NANOS_PER_USD


@contextmanager
def _stopped(process: Callable[[], subprocess.Popen[Any]]) -> Iterator[None]:
    process().send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process().send_signal(signal.SIGCONT)


@contextmanager
def _mute(line: FaultProxy, **ways: bool) -> Iterator[None]:
    line.drop(**ways)
    try:
        yield
    finally:
        line.heal()


@contextmanager
def _refused(line: FaultProxy) -> Iterator[None]:
    line.refuse()
    try:
        yield
    finally:
        line.heal()


@asynccontextmanager
async def deployed(directory: Path) -> AsyncIterator[Deployment]:
    """With a first key, and callers until the block ends."""
    async with AsyncExitStack() as closing:
        postgres, valkey = PostgresServer(), Valkey()
        closing.callback(postgres.close)
        closing.callback(valkey.close)
        postgres.start()
        journal = directory / "simulator.journal"
        simulate = ("simulate", "--port", "0", "--journal", journal)
        _, address = closing.enter_context(running(simulate, directory / "simulator.log", ADDRESS))
        url = await create_postgres_database(postgres.url)
        environment = {
            **ENVIRONMENT,
            "HEADGATE_DATABASE_URL": url,
            "HEADGATE_REDIS_URL": valkey.url,
            "HEADGATE_MASTER_KEY": b64encode(os.urandom(32)).decode(),
        }
        nodes = []
        lines = [await closing.enter_async_context(fault_proxy(port)) for port in (postgres.port, valkey.port)]
        far = {
            "HEADGATE_DATABASE_URL": url.replace(f":{postgres.port}/", f":{lines[0].port}/"),
            "HEADGATE_REDIS_URL": valkey.url.replace(f":{valkey.port}/", f":{lines[1].port}/"),
        }
        for name, more in (("workers", {"HEADGATE_WORKERS": str(WORKERS)}), ("single", far)):
            (directory / name).mkdir()
            nodes.append(Mortal(directory / name, address[1], {**environment, **more}, journal))
            closing.callback(nodes[-1].end)
            await asyncio.to_thread(nodes[-1].start)
        made = Deployment((nodes[0], nodes[1]), postgres, valkey, (lines[0], lines[1]), url)
        await made.new_key()
        made.begin_calls()
        closing.push_async_callback(made.end_calls)
        yield made
