"""How this process stands and what it stands on, for those who administer it."""

import os
import platform
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import HeadgateError
from headgate.bootstrap.books import BookKeeping
from headgate.bootstrap.report import report
from headgate.bootstrap.verifier import Verifier
from headgate.ledger.ledger import LocalLedger
from headgate.routing.health import Health
from headgate.settings import SETTINGS, Settings
from headgate.storage import migrate
from headgate.storage.database import Database
from headgate.storage.journal import FileJournal
from headgate.storage.outbox import SqlOutbox
from headgate.storage.processes import Processes
from headgate.tenancy.system import (
    HoldState,
    JournalState,
    ProcessState,
    Resting,
    SettingState,
    StoreState,
    SystemState,
    Verification,
)

if TYPE_CHECKING:  # it brings the client of Redis, which is not there where nothing is shared
    from headgate.bootstrap.sharing import Sharing

_MS: Final = NANOS_PER_SECOND // 1_000


@dataclass(slots=True, kw_only=True)
class ThisMachine:
    """A `tenancy.system.Machine`. `waiting` is how many settled calls wait for the database, `trouble` why no calls are
    taken."""

    settings: Settings
    database: Database
    ledger: LocalLedger
    journal: FileJournal
    waiting: Callable[[], int]
    trouble: Callable[[], str | None]
    sharing: "Sharing | None"
    health: Health
    verifier: Verifier
    clock: Clock
    started_at: int = field(init=False)

    def __post_init__(self) -> None:
        self.started_at = self.clock.now()

    async def state(self, holds: int) -> SystemState:
        """A store that is away is told, and holds up nothing else."""
        stores = [await self._database()]
        if self.sharing is not None:
            stores.append(await self._shared(self.sharing))
        away = bool(stores[0].trouble)
        return SystemState(
            version=version("headgate"),
            python=platform.python_version(),
            process_id=os.getpid(),
            started_at=self.started_at,
            trouble=self.trouble(),
            stores=stores,
            journal=self._journal(),
            outbox={} if away else await SqlOutbox(self.database, letters=False).counts(),
            holds=self._holds(holds),
            held=len(self.ledger),
            processes=[] if away else await self._processes(),
            settings=changed(self.settings),
            resting=self.resting(),
            verification=self.verifier.last,
        )

    def resting(self) -> Sequence[Resting]:
        """Targets that calls with a config pass over."""
        found = []
        for name, why, wait in self.health.resting():
            assert isinstance(name, tuple)
            found.append(Resting(name[0], name[1], why, wait // _MS))
        return found

    def verify(self) -> Verification:
        """Beside the process."""
        return self.verifier.begin()

    async def _database(self) -> StoreState:
        facts = self.database.facts()
        schema = ""

        async def ask() -> None:
            nonlocal schema
            schema = await migrate.current(self.database) or ""

        took, trouble = await _timed(ask, self.clock)
        return StoreState(facts.engine, facts.version, schema, migrate.newest(), took, trouble, facts.warnings)

    async def _shared(self, sharing: "Sharing") -> StoreState:
        took, trouble = await _timed(sharing.authority.check, self.clock)
        return StoreState("redis", "", "", "", took, trouble or sharing.borrowing.trouble() or "")

    def _journal(self) -> JournalState:
        journal, oldest = self.journal, self.ledger.holds(1)
        return JournalState(
            size=journal.size,
            limit=journal.limit,
            segments=journal.segments,
            unwritten_calls=self.waiting(),
            oldest_at=oldest[0][0].at if oldest else None,
            trouble="" if journal.failure is None else str(journal.failure),
        )

    def _holds(self, most: int) -> list[HoldState]:
        return [
            HoldState(
                request_id=entry.request_id,
                at=entry.at,
                key_id="" if unheard is None else unheard.key_id,
                tenant_id=None if unheard is None else unheard.tenant_id,
                model="" if unheard is None else unheard.model,
                cost=amounts.cost,
                tokens=amounts.input_tokens + amounts.output_tokens,
            )
            for entry, amounts, unheard in self.ledger.holds(most)
        ]

    async def _processes(self) -> list[ProcessState]:
        mine = None if self.sharing is None else self.sharing.generations.node
        found = await Processes(self.database).all()
        return [
            ProcessState(each.id, each.place, each.started_at, each.idle, each.alive, self._shares(each.id == mine))
            for each in found
        ]

    def _shares(self, mine: bool) -> int | None:
        return self.sharing.borrowing.held if mine and self.sharing is not None else None


def machine_of(
    settings: Settings, database: Database, kept: BookKeeping, health: Health, clock: Clock, closing: AsyncExitStack
) -> ThisMachine:
    """Of a process with these books."""
    verifier = Verifier(settings, clock, report)
    closing.push_async_callback(verifier.close)
    return ThisMachine(
        settings=settings,
        database=database,
        ledger=kept.restoring.ledger,
        journal=kept.journal,
        waiting=lambda: kept.usage.waiting,
        trouble=kept.trouble,
        sharing=kept.sharing,
        health=health,
        verifier=verifier,
        clock=clock,
    )


def changed(settings: Settings) -> list[SettingState]:
    """Those that are not as they come. Secrets are masked."""
    found = []
    for each in SETTINGS:
        value = getattr(settings, each.name)
        if value != each.default:
            found.append(SettingState(each.name, "***" if each.told.secret else str(value), each.told.doc))
    return found


async def _timed(ask: Callable[[], Awaitable[None]], clock: Clock) -> tuple[float, str]:
    """Milliseconds, and what was wrong."""
    began, trouble = clock.monotonic(), ""
    try:
        await ask()
    except HeadgateError as error:
        trouble = error.message
    return (clock.monotonic() - began) / _MS, trouble
