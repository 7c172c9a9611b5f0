"""An installation with budgets, webhooks and a dispatcher that moves when told to."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import select

from headgate.alerts.dispatcher import Dispatcher
from headgate.alerts.sender import Sender
from headgate.alerts.webhooks import WebhookSender
from headgate.base.money import nanos_from_usd
from headgate.ledger.record import UsageRecord
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.alert_tables import event
from headgate.storage.database import Database
from headgate.storage.due_rotations import DueRotations
from headgate.storage.outbox import SqlOutbox
from headgate.storage.refusals import Refusals
from headgate.storage.stores import SqlTransactions
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.founding import found
from headgate.tenancy.vault import MasterKey, Vault
from headgate.upstream.client import Client, Deadlines
from headgate.upstream.guard import Guard
from tests.support.administration import PEPPER, MovedClock, World, customer_key, node
from tests.support.ledger import record

QUICK = Deadlines(connect_s=2, first_byte_s=0.5, idle_s=0.5, total_s=2)


@dataclass(slots=True)
class Alerting:
    """`rows` is the usage writer's, `dispatcher` is not started: `deliver` has it take one turn."""

    world: World
    database: Database
    master_key: MasterKey
    rows: AlertedRows
    dispatcher: Dispatcher
    outbox: SqlOutbox
    refusals: Refusals
    workspace: str
    reported: list[tuple[str, BaseException]] = field(default_factory=list)
    _written: int = 0

    @property
    def clock(self) -> MovedClock:
        return self.world.clock

    async def key(self, *usage_limits: dict[str, Any], **fields: Any) -> str:
        """A key with these budgets; its id."""
        key_id, _ = await customer_key(self.world, self.workspace, usage_limits=list(usage_limits), **fields)
        return key_id

    def record(self, key_id: str, usd: str | Decimal = "0", *, tokens: int = 0, **fields: Any) -> UsageRecord:
        self._written += 1
        made = record(
            f"req_{self._written:06}",
            at=fields.pop("at", self.clock.now()),
            input_tokens=tokens,
            cost=nanos_from_usd(usd),
        )
        owners = {
            "organization_id": self.world.root.organization_id,
            "workspace_id": self.workspace,
            "key_id": key_id,
        }
        return msgspec.structs.replace(made, **(owners | fields))

    async def write(self, records: Sequence[UsageRecord]) -> None:
        await self.database.write(lambda connection: self.rows.insert(connection, records))

    async def spend(self, key_id: str, usd: str | Decimal = "0", *, tokens: int = 0, **fields: Any) -> None:
        """One call of the key is settled."""
        await self.write([self.record(key_id, usd, tokens=tokens, **fields)])

    async def told(self) -> list[dict[str, Any]]:
        """All events, the first one first: type and data."""

        def read(connection: Any) -> list[str]:
            return list(connection.execute(select(event.c.body).order_by(event.c.at, event.c.id)).scalars())

        return [json.loads(body) for body in await self.database.read(read)]

    async def thresholds(self) -> list[tuple[str, ...]]:
        """Of all thresholds reached, in any order of events, sorted."""
        return sorted(
            tuple(each["data"]["thresholds"])
            for each in await self.told()
            if each["type"] == "budget.threshold_reached"
        )

    async def webhook(self, url: str, **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = await self.world.ok("POST", "/v1/admin/webhooks", {"url": url, **fields})
        return made

    async def deliver(self) -> None:
        """One turn of the dispatcher, to its end."""
        await self.dispatcher.turn()
        await self.dispatcher.settled()
        assert not self.reported, self.reported

    async def deliveries(self, webhook: dict[str, Any]) -> list[dict[str, Any]]:
        listed = await self.world.ok("GET", f"/v1/admin/webhooks/{webhook['id']}/deliveries")
        found: list[dict[str, Any]] = listed["data"]
        return found


@asynccontextmanager
async def alerting(
    database: Database,
    *,
    letters: Sender | None = None,
    clock: MovedClock | None = None,
    guard: Guard | None = None,
    deadlines: Deadlines = QUICK,
) -> AsyncIterator[Alerting]:
    """On an empty schema. No jitter: pauses are as long as `alerts.retries` says."""
    clock = clock or MovedClock()
    master_key = MasterKey.generate()
    vault = Vault([master_key])
    admin = keys.mint(PEPPER)
    organization = await found(Administration(SqlTransactions(database), clock), admin)
    assert organization is not None
    async with AsyncExitStack() as closing:
        envelope = None if letters is None else Envelope(PEPPER)
        world = await closing.enter_async_context(node(database, vault, clock, admin.text, organization.id, envelope))
        workspace = await world.ok("POST", "/v1/admin/workspaces", {"name": "Alerts"})
        client = Client(guard=guard or Guard(), clock=clock)
        closing.push_async_callback(client.close)
        reported: list[tuple[str, BaseException]] = []
        outbox = SqlOutbox(database, letters=letters is not None)
        refusals = Refusals(database, clock)
        dispatcher = Dispatcher(
            outbox,
            (refusals, DueRotations(database, clock)),
            WebhookSender(client, vault, clock, deadlines),
            letters,
            world.services.webhooks.disable,
            clock,
            lambda: 0.0,
            lambda what, error: reported.append((what, error)),
        )
        closing.push_async_callback(dispatcher.close)
        rows = AlertedRows(clock)
        yield Alerting(world, database, master_key, rows, dispatcher, outbox, refusals, workspace["id"], reported)
