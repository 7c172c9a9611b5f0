"""The processes that share allowances, as an operator lists them and gives one up."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from headgate.base.clock import SystemClock
from headgate.base.errors import Conflict, InvalidRequest, NotFound, Unavailable
from headgate.ledger.borrowed import BorrowedShares
from headgate.process.sharers import forget_process, processes
from headgate.settings import Settings
from headgate.storage.database import Database, open_database
from headgate.storage.migrate import upgrade
from headgate.storage.process_tables import process
from headgate.storage.processes import ALIVE, Processes
from headgate.storage.shares.address import RedisAddress
from headgate.storage.shares.authority import Authority
from headgate.storage.shares.connection import connect
from headgate.storage.shares.generations import Generations
from tests.support.command import headgate
from tests.support.databases import create_postgres_database
from tests.support.services import free_port
from tests.support.valkey import Valkey, valkey

__all__ = ["valkey"]


class Installation:
    """Processes by name, each on a disk of its own, and the authority whose generation counts."""

    def __init__(self, settings: Settings, database: Database) -> None:
        assert settings.redis_url is not None
        self.settings = settings
        self._database = database
        self.processes = Processes(database)
        self.authority = Authority(connect(RedisAddress.parse(settings.redis_url)), SystemClock())

    async def add(self, name: str, *, dead: bool = False) -> None:
        await self.processes.register(name, f"disk of {name}", f"host:/{name}")
        if dead:
            long_ago = update(process).where(process.c.id == name).values(seen_at=process.c.seen_at - ALIVE)
            await self._database.write(lambda connection: connection.execute(long_ago))

    async def look(self) -> None:
        """As a process that lives does it: there is a generation."""

        async def nothing() -> None:
            """There is nothing to write."""

        generations = Generations(
            "one", BorrowedShares(), self.authority, self.processes.members, nothing, SystemClock()
        )
        await generations.look()

    async def generations(self) -> set[str]:
        return {each.generation for each in await self.authority.look()}

    async def known(self) -> list[str]:
        return [each.id for each in await self.processes.all()]


@pytest.fixture
async def installation(tmp_path: Path, postgres_url: str, valkey: Valkey) -> AsyncIterator[Installation]:
    url = await create_postgres_database(postgres_url)
    database = await open_database(url)
    await upgrade(database)
    made = Installation(Settings(data_dir=tmp_path, database_url=url, redis_url=valkey.url), database)
    yield made
    await made.authority.close()
    await database.close()


async def test_all_are_listed(installation: Installation) -> None:
    """Those that live and those that died, the oldest first."""
    await installation.add("one", dead=True)
    await installation.add("two")
    found = [(each.id, each.place, each.alive) for each in await processes(installation.settings)]
    assert found == [("one", "host:/one", False), ("two", "host:/two", True)]


async def test_what_a_forgotten_one_had_is_lent_anew(installation: Installation) -> None:
    """A new generation begins, in which nobody waits for it."""
    await installation.add("one")
    await installation.add("gone", dead=True)
    await installation.look()
    before = await installation.generations()
    found = await forget_process(installation.settings, "gone")
    assert (found.id, found.place) == ("gone", "host:/gone")
    assert await installation.known() == ["one"]
    assert not before & await installation.generations()


async def test_as_the_commands_say_it(installation: Installation, tmp_path: Path) -> None:
    """A row for each; and who is given up."""
    await installation.add("gone", dead=True)
    await installation.add("one")
    settings = installation.settings
    env = {"HEADGATE_DATABASE_URL": str(settings.database_url), "HEADGATE_REDIS_URL": str(settings.redis_url)}
    listed = await headgate("processes", "list", cwd=tmp_path, env=env)
    gone, one = [line.split() for line in listed.out.splitlines()[-2:]]
    assert (gone[:2], gone[-1]) == (["gone", "host:/gone"], "dead")
    assert (one[:2], one[-1]) == (["one", "host:/one"], "alive")
    forgotten = await headgate("processes", "forget", "gone", cwd=tmp_path, env=env)
    assert (forgotten.code, forgotten.out.strip()) == (0, "gone at host:/gone is given up.")


async def test_while_another_is_missing_it_stays_charged(installation: Installation) -> None:
    """Nobody waits for the forgotten one, but a new generation would wait for the other: that comes with the last."""
    await installation.add("one")
    await installation.add("gone", dead=True)
    await installation.add("gone too", dead=True)
    await installation.look()
    before = await installation.generations()
    await forget_process(installation.settings, "gone")
    assert await installation.known() == ["one", "gone too"]
    assert await installation.generations() == before
    await forget_process(installation.settings, "gone too")
    assert await installation.known() == ["one"]
    assert not before & await installation.generations()


async def test_one_that_may_live_is_not_forgotten(installation: Installation) -> None:
    """It would go on with what somebody else is lent."""
    await installation.add("one")
    with pytest.raises(Conflict, match="Stop it first"):
        await forget_process(installation.settings, "one")
    with pytest.raises(NotFound, match="headgate processes list"):
        await forget_process(installation.settings, "nobody")
    assert await installation.known() == ["one"]


async def test_without_the_authority_nobody_is_forgotten(installation: Installation, tmp_path: Path) -> None:
    """What it had would stay lent, and nobody would know why: it is to be done again."""
    await installation.add("gone", dead=True)
    cut_off = Settings(
        data_dir=tmp_path,
        database_url=installation.settings.database_url,
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    with pytest.raises(Unavailable, match="Redis does not answer"):
        await forget_process(cut_off, "gone")
    assert await installation.known() == ["gone"]


async def test_one_process_has_nobody_to_forget(tmp_path: Path) -> None:
    """Without a redis_url nothing is borrowed."""
    with pytest.raises(InvalidRequest, match="no redis_url"):
        await forget_process(Settings(data_dir=tmp_path), "one")


async def test_another_versions_schema_is_not_touched(tmp_path: Path, postgres_url: str, valkey: Valkey) -> None:
    """Neither is read what may mean something else."""
    url = await create_postgres_database(postgres_url)
    settings = Settings(data_dir=tmp_path, database_url=url, redis_url=valkey.url)
    with pytest.raises(Conflict, match="headgate migrate"):
        await processes(settings)
    with pytest.raises(Conflict, match="headgate migrate"):
        await forget_process(settings, "one")
