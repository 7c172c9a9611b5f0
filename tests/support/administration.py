"""A whole administration on a database: services, directory and control plane, with a clock that tests move."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from headgate.alerts.target import checked_url
from headgate.base.clock import NANOS_PER_SECOND
from headgate.bootstrap.machine import ThisMachine
from headgate.bootstrap.verifier import Verifier
from headgate.catalog.catalog import Catalog
from headgate.controlplane.app import create_app
from headgate.controlplane.services import Services, services_on
from headgate.ledger.ledger import LocalLedger
from headgate.routing.health import Health
from headgate.settings import Settings
from headgate.storage.analytics.services import analytics_on
from headgate.storage.balances import Balances
from headgate.storage.database import Database
from headgate.storage.journal import FileJournal
from headgate.storage.stores import SqlTransactions
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration
from headgate.tenancy.audit import AuditEntry
from headgate.tenancy.directory import Directory
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.founding import found
from headgate.tenancy.policy_loader import PolicyLoader
from headgate.tenancy.principal import Principal
from headgate.tenancy.sessions import Span
from headgate.tenancy.vault import MasterKey, Vault
from headgate.upstream.base_url import kept_base_url
from headgate.upstream.client import Client
from headgate.upstream.fetch import Fetcher
from headgate.upstream.guard import Guard
from tests.support.asgi import Reply, request
from tests.support.openapi import refuse_undeclared

NOON = 1_800_000_000 * NANOS_PER_SECOND  # 2027-01-15T08:00:00Z
PEPPER = b"p" * keys.PEPPER_BYTES
CATALOG = Catalog.load()


@dataclass(slots=True)
class MovedClock:
    """Stands still until it is moved."""

    at: int = NOON

    def now(self) -> int:
        return self.at

    def monotonic(self) -> int:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += int(seconds * NANOS_PER_SECOND)


@dataclass(slots=True)
class World:
    """One node. `root` is the principal of the operator, `admin_key` the text of the first admin key."""

    database: Database
    transactions: SqlTransactions
    clock: MovedClock
    administration: Administration
    services: Services
    directory: Directory
    root: Principal
    admin_key: str
    app: Any
    reported: list[tuple[str, BaseException]] = field(default_factory=list)
    master_key: MasterKey | None = None
    """Of a new installation."""

    async def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None, headers: Mapping[str, str] = {}
    ) -> Reply:
        """To the control plane; with the admin key unless another one, or an empty one for none, is given. Whatever it
        answers must be in the OpenAPI document."""
        self.clock.move(0.001)  # so that what is made later is listed later
        used = self.admin_key if key is None else key
        credential = {"x-portkey-api-key": used} if used else {}
        reply = await request(self.app, method, path, body, {**credential, **headers})
        refuse_undeclared(method, path, reply.status, reply.body)
        return reply

    async def ok(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Any:
        """The same for what must succeed: the decoded answer."""
        reply = await self.call(method, path, body, key=key)
        assert reply.status == 200, reply.body
        return reply.json

    async def audit(self) -> list[AuditEntry]:
        return list(
            await self.transactions.read(lambda stores: stores.audit.after(self.root.organization_id, 0, 10_000))
        )


async def _nowhere(host: str) -> Sequence[str]:
    """Tests speak to addresses on this machine; no name leads anywhere."""
    raise OSError("no names are resolved here")


async def _written() -> None:
    """Nothing waits for the database."""


def _machine(
    database: Database, clock: MovedClock, data_dir: Path, reported: list[tuple[str, BaseException]]
) -> ThisMachine:
    journal, _ = FileJournal.open(data_dir / "journal")
    settings = Settings(data_dir=data_dir, metrics_token="a token that nobody is to see")
    return ThisMachine(
        settings=settings,
        database=database,
        ledger=LocalLedger(clock, journal),
        journal=journal,
        waiting=lambda: 0,
        trouble=lambda: None,
        sharing=None,
        health=Health(clock),
        verifier=Verifier(settings, clock, lambda what, error: reported.append((what, error))),
        clock=clock,
    )


@asynccontextmanager
async def node(
    database: Database,
    vault: Vault,
    clock: MovedClock,
    admin_key: str,
    organization: str,
    envelope: Envelope | None = None,
) -> AsyncIterator[World]:
    """A process on a database that is founded already. With an `envelope` invites go out as letters."""
    reported: list[tuple[str, BaseException]] = []
    transactions = SqlTransactions(database)
    administration = Administration(transactions, clock)
    loader = PolicyLoader(transactions, vault, CATALOG)
    directory = Directory(loader, PEPPER, clock, lambda what, error: reported.append((what, error)))
    administration.on_change(directory.changed)
    guard = Guard()
    client = Client(guard=Guard(resolve=_nowhere), clock=clock)
    data_dir = TemporaryDirectory()
    machine = _machine(database, clock, Path(data_dir.name), reported)
    ledger = machine.ledger  # no calls are made here: what is settled is written by the tests
    services = services_on(
        administration,
        directory,
        CATALOG,
        vault,
        PEPPER,
        Balances(database, ledger, _written, clock),
        analytics_on(database, administration, b"l" * 32),
        url="http://test",
        check_url=partial(kept_base_url, guard=guard),
        check_webhook=partial(checked_url, guard=guard, plain=True),
        fetch=Fetcher(client, clock),
        forget_answers=lambda *_: 0,  # no calls are made here
        span=Span(idle_s=3_600, lifetime_s=86_400),
        machine=machine,
        envelope=envelope,
    )
    root = Principal.operator(organization)
    app = create_app(services)
    await directory.poll()
    try:
        yield World(database, transactions, clock, administration, services, directory, root, admin_key, app, reported)
    finally:
        await machine.verifier.close()
        machine.journal.close()
        data_dir.cleanup()
        await client.close()
        await directory.close()


@asynccontextmanager
async def founded(database: Database) -> AsyncIterator[World]:
    """A new installation on an empty schema."""
    clock = MovedClock()
    admin = keys.mint(PEPPER)
    organization = await found(Administration(SqlTransactions(database), clock), admin)
    assert organization is not None
    master_key = MasterKey.generate()
    async with node(database, Vault([master_key]), clock, admin.text, organization.id) as world:
        world.master_key = master_key
        yield world


async def customer_key(world: World, workspace: str, **fields: Any) -> tuple[str, str]:
    """A key that makes calls: its id and its text."""
    body = {"name": "customer", "workspace_id": workspace, "scopes": ["completions.write"], **fields}
    made = await world.ok("POST", "/v1/api-keys/workspace/service", body)
    return made["id"], made["key"]
