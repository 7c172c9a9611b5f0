"""A small world around a whole gateway, played by a seed: customers, a provider with its own books, a database, faults.

Pipeline, ledger, journal, usage writer and dialogues are the real ones; sockets and time are not. Who goes first at
any point where somebody waits is the seed's choice, so a history can be played again.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import cast
from unittest import mock

from headgate.base import usage as meters
from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import Unauthenticated
from headgate.base.money import nanos_from_usd
from headgate.catalog.price import Price, Rates
from headgate.ledger.allowance import LIFETIME, Allowance, Resource, Scope, Window, WindowKind
from headgate.simulator.behaviours import BEHAVIOURS
from headgate.tenancy.admission import Admission, Streams
from headgate.tenancy.policy import ModelAccess, Policy, Secret
from headgate.tenancy.policy import Provider as Integration
from headgate.tenancy.scopes import ACT_AS
from tests.sim import tenants
from tests.sim.customer import PlayedExchange
from tests.sim.life import Life, Rows
from tests.sim.loop import VirtualLoop
from tests.sim.provider import Provider
from tests.sim.world import Disk
from tests.support.ledger import DAY, MINUTE, NOON, ManualClock
from tests.support.mix import Request, a_config, a_request

INPUT_NANOS, OUTPUT_NANOS = 1_000, 2_000
METERS = {meters.INPUT: INPUT_NANOS, meters.OUTPUT: OUTPUT_NANOS}
DEARER = {"sim-slow": 3, "sim-reasoning": 2}
"""Models that cost so many times as much as the others."""
PRICES = {
    model: Price(
        *("sim", "sim", "sim"),
        Rates({meter: nanos * DEARER.get(model, 1) * 10**6 for meter, nanos in METERS.items()}),
    )
    for model in BEHAVIOURS
}
SECONDS = 120
KEYS = ("key1", "key2", "key3")
CUSTOMERS = 4
"""Of each key."""
HALF_A_MINUTE = Window(WindowKind.SLIDING, 30)
KINDS = {"openai": ("openai", "v1"), "anthropic": ("anthropic", "v1"), "gemini": ("google", "v1beta")}


CHATS = ("/v1/chat/completions", "/v1/messages")
NOT_YET = cast(Life, None)
Event = Callable[[], Coroutine[None, None, None]]


@dataclass(frozen=True)
class Faults:
    """What goes wrong in a world: events in its two minutes, and shares of its calls."""

    crashes: int = 0
    restarts: int = 0
    full_disks: int = 0
    absences: int = 0
    edits: int = 0
    trouble: float = 0.0
    hang_ups: float = 0.0
    bad: float = 0.0
    lies: float = 0.0
    configs: float = 0.0
    """The share of chats that bring a config with other targets."""
    tenants: float = 0.0
    """The share of calls that are made for a tenant."""
    long: float = 0.1
    """The share of calls whose answers may be long enough for an adaptive stream to need more than it held at first."""


@dataclass
class Tally:
    """What customers saw, and how much of what happened."""

    refused: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    unwritten: set[str] = field(default_factory=set)
    """Calls that ended because the disk did not take them: the first request id of each."""
    costs: dict[str, int] = field(default_factory=dict)
    made_for: dict[str, str | None] = field(default_factory=dict)
    """By request id, whom a call was made for."""
    statuses: list[int] = field(default_factory=list)
    crashes: int = 0


class World:
    """Three keys of one organization."""

    def __init__(self, seed: int, directory: Path, faults: Faults) -> None:
        self.random = Random(seed)
        self.faults = faults
        self.clock = ManualClock(NOON + (43_200 - SECONDS // 2) * NANOS_PER_SECOND)  # midnight falls into it
        self.disk = Disk(self.random)
        self.rows = Rows(self.pause)
        self.tally = Tally()
        self.wrongs: list[str] = []
        self.allowances = {each.id: each for each in self._allowances()}
        self.ceilings = {each.id: each.cap for each in self.allowances.values()}
        self._admissions = {key: self._admission() for key in KEYS}
        self.life: Life = NOT_YET
        self._checked = 0
        self._directory = directory
        self._loop = VirtualLoop(self.clock, self._check)
        self._ends = self.clock.now() + SECONDS * NANOS_PER_SECOND

    def _allowances(self) -> list[Allowance]:
        plenty = self.random.choice((1, 2, 5))

        def pick(low: int, high: int) -> int:
            return self.random.randrange(low, high) * plenty

        organization = Scope("organization", "org")
        made = [
            Allowance("org:cost", organization, Resource.COST, LIFETIME, pick(4_000_000, 30_000_000)),
            Allowance("org:tokens", organization, Resource.TOKENS, MINUTE, pick(4_000, 20_000)),
        ]
        for name in KEYS:
            key = Scope("api_key", name)
            made += (
                Allowance(f"{name}:cost", key, Resource.COST, LIFETIME, pick(1_000_000, 12_000_000)),
                Allowance(f"{name}:day", key, Resource.COST, DAY, pick(1_000_000, 9_000_000)),
                Allowance(f"{name}:output", key, Resource.OUTPUT_TOKENS, HALF_A_MINUTE, pick(1_000, 10_000)),
                Allowance(f"{name}:rate", key, Resource.REQUESTS, MINUTE, pick(5, 40)),
                Allowance(f"{name}:flying", key, Resource.IN_FLIGHT, LIFETIME, pick(1, 4)),
            )
        integration = Scope("integration", "openai")
        if self.faults.tenants:
            made += tenants.allowances(pick)
        return [*made, Allowance("openai:cost", integration, Resource.COST, LIFETIME, pick(9_000_000, 20_000_000))]

    def _admission(self) -> Admission:
        choose = self.random.choice
        return Admission(
            clamp_min_output=choose((None, None, 10, 40)),
            hold_wait_ms=choose((0, 0, 500, 5_000)),
            streams=choose((Streams.STRICT, Streams.ADAPTIVE, Streams.ADAPTIVE)),
            first_hold_tokens=choose((2_048, 2_200)),
        )

    # -- the directory -----------------------------------------------------------------------------------------------

    def lookup(self, key: str) -> Policy:
        models = ModelAccess(prices=PRICES)
        providers = {
            slug: Integration(
                slug=slug,
                integration_id=slug,
                kind=kind,
                base_url=f"http://provider.test/{version}",
                secret=Secret("secret"),
                models=models,
                allowances=tuple(each for each in self.allowances.values() if each.scope.id == slug),
            )
            for slug, (kind, version) in KINDS.items()
        }
        return Policy(
            organization_id="org",
            workspace_id="ws",
            workspace_slug="ws",
            key_id=key,
            key_name=key,
            scopes=frozenset({"completions.write", *([ACT_AS] if key == tenants.SERVICE else [])}),
            providers=providers,
            allowances=tuple(each for each in self.allowances.values() if each.scope.id in ("org", key)),
            admission=self._admissions[key],
        )

    async def load(self, key: str) -> Policy:
        raise Unauthenticated(f"There is no {key}.")

    async def acting(self, policy: Policy, tenant: str) -> Policy:
        await self.pause()
        return tenants.acting(policy, tenant, self.allowances.values())

    # -- time --------------------------------------------------------------------------------------------------------

    async def pause(self) -> None:
        """Where somebody waits for somebody else: nobody knows how long."""
        chance = self.random.random()
        if chance < 0.6:
            for _ in range(self.random.randrange(3)):
                await asyncio.sleep(0)
        elif chance < 0.95:
            await asyncio.sleep(self.random.expovariate(20))  # why: virtual time
        else:
            await asyncio.sleep(self.random.expovariate(1))  # why: virtual time

    def play(self) -> None:
        """From beginning to end. What is wrong then is in `wrongs`."""
        try:
            with mock.patch("headgate.storage.segment.os.write", self.disk.write):
                self._loop.run_until_complete(self._play())
        finally:
            self._loop.close()

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        self.provider = Provider(self.random, self.clock, self.pause, self.faults.trouble)
        self.alive = asyncio.Event()
        self._start()
        customers = [loop.create_task(self._customer(key)) for key in KEYS for _ in range(CUSTOMERS)]
        happenings = [loop.create_task(each) for each in self._happenings()]
        await asyncio.gather(*customers, *happenings)
        while running := {*self.life.tasks, *self.provider.tasks}:
            await asyncio.wait(running)
        await self.life.writer.flush()
        self.balances = self.life.ledger.balances(list(self.allowances.values()))
        self.still_held = len(self.life.ledger)
        await self.life.end(0)

    # -- the gateway's process ---------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.life = Life(self._directory, self.clock, self.random, self.rows, self, self.provider, self.wrongs)
        self.alive.set()
        for allowance in self.allowances.values():  # what is restored may stay in its window longer, never shorter
            if allowance.window.kind is WindowKind.SLIDING:
                self._within(allowance, allowance.cap - self.life.ledger.lefts([allowance])[0])

    def _within(self, allowance: Allowance, total: int) -> bool:
        """Whether it was ever allowed so much; from now on it is."""
        before = self.ceilings[allowance.id]
        self.ceilings[allowance.id] = max(before, total)
        return total <= before

    def _happenings(self) -> list[Coroutine[None, None, None]]:
        counts: tuple[tuple[int, Event], ...] = (
            (self.faults.crashes, self._crash),
            (self.faults.restarts, self._restart),
            (self.faults.full_disks, self._full_disk),
            (self.faults.absences, self._absence),
            (self.faults.edits, self._edit),
        )
        return [self._at(self.random.random() * SECONDS, event) for count, event in counts for _ in range(count)]

    async def _at(self, seconds: float, event: Event) -> None:
        await asyncio.sleep(seconds)  # why: virtual time
        await event()

    async def _crash(self) -> None:
        if not self.alive.is_set():
            return
        self.tally.crashes += 1
        self.alive.clear()
        self.disk.failing = False
        self.provider.cut_all()
        await self.life.kill()
        self._tear()
        await asyncio.sleep(self.random.choice((0.1, 3, 40)))  # why: virtual time
        self.disk.failing = False
        self._start()

    def _tear(self) -> None:
        """Now and then the last entry is not whole."""
        if self.random.random() < 0.3:
            with max(self._directory.iterdir()).open("ab") as file:
                file.write(b'0badc0de ["settle","torn'[: self.random.randrange(1, 24)])

    async def _restart(self) -> None:
        if not self.alive.is_set():
            return
        self.alive.clear()
        orderly = await self.life.end(self.random.choice((0, 1, 20)))
        self.disk.failing = False
        self._start()
        if orderly and self.life.replay.unfinished:
            self.wrongs.append(f"an orderly end left {list(self.life.replay.unfinished)} behind")

    async def _full_disk(self) -> None:
        self.disk.failing = True
        await asyncio.sleep(self.random.random() * 20)  # why: virtual time
        self.disk.failing = False

    async def _absence(self) -> None:
        self.rows.away = True
        await asyncio.sleep(self.random.random() * 30)  # why: virtual time
        self.rows.away = False

    async def _edit(self) -> None:
        chosen = self.random.choice(list(self.allowances.values()))
        cap = round(chosen.cap * self.random.choice((0.0, 0.3, 0.7, 1.5, 3.0)))
        self.allowances[chosen.id] = replace(chosen, cap=cap)
        self._within(chosen, cap)

    def _check(self) -> None:
        """Between any two turns: what is settled and held of an allowance is within the highest cap it ever had."""
        if self.faults.lies or self.life is NOT_YET or self.life.journal.appended == self._checked:
            return
        self._checked = self.life.journal.appended
        current = list(self.allowances.values())
        for allowance, left in zip(current, self.life.ledger.lefts(current), strict=True):
            cap = self.ceilings[allowance.id]
            if not self._within(allowance, allowance.cap - left):
                self.wrongs.append(f"{allowance.id}: {allowance.cap - left} of {cap}")

    # -- customers ---------------------------------------------------------------------------------------------------

    async def _customer(self, key: str) -> None:
        while self.clock.now() < self._ends:
            await asyncio.sleep(self.random.expovariate(1 / 4))  # why: virtual time
            longest = self.random.choice((600, 3_500)) if self.random.random() < self.faults.long else 60
            request = a_request(self.random, bad=self.faults.bad, longest=longest)
            if self.random.random() < self.faults.lies:
                request.body["model"] = request.body["model"].partition("/")[0] + "/sim-usage-lies"
            for _ in range(3):
                await self.alive.wait()
                exchange = await self._call(key, request)
                if exchange.status not in (429, 412, 503) or not exchange.by_gateway:
                    break
                wait = exchange.headers.get(b"retry-after")
                if wait is None:
                    break
                await asyncio.sleep(min(int(wait), 30))  # why: virtual time

    async def _call(self, key: str, request: Request) -> PlayedExchange:
        life, loop = self.life, asyncio.get_running_loop()
        tenant = tenants.named(self.random, self.faults.tenants)
        named = [] if tenant is None else [(b"x-headgate-tenant", tenant.encode())]
        exchange = PlayedExchange(request, key, self.pause, *self._config(request), *named)
        task = loop.create_task(life.plane.answer(exchange))
        life.tasks.add(task)
        task.add_done_callback(life.tasks.discard)
        if self.random.random() < self.faults.hang_ups:
            loop.call_later(self.random.expovariate(2), exchange.hang_up)
        await asyncio.wait((task, life.death), return_when=asyncio.FIRST_COMPLETED)
        if life.death.done():
            return exchange
        if not task.cancelled() and (error := task.exception()) is not None:
            self.wrongs.append(f"a call to {request.path} raised {error!r}")
        self._note(exchange)
        self.tally.made_for[exchange.request_id.partition("-")[0]] = tenant if key == tenants.SERVICE else None
        return exchange

    def _config(self, request: Request) -> list[tuple[bytes, bytes]]:
        if request.path not in CHATS or not self.faults.configs or self.random.random() > self.faults.configs:
            return []
        return [(b"x-portkey-config", json.dumps(a_config(self.random)).encode())]

    def _note(self, exchange: PlayedExchange) -> None:
        self.tally.statuses.append(exchange.status)
        if not exchange.whole:
            return
        if exchange.status == 500 and exchange.by_gateway:
            self.wrongs.append(f"{exchange.request_id}: {exchange.received!r}")
        if b"journal_unavailable" in exchange.received:
            self.tally.unwritten.add(exchange.request_id.partition("-")[0])
        if exchange.by_gateway and (exchange.status in (412, 429) or b"journal_unavailable" in exchange.received):
            self.tally.refused.add(exchange.request_id)
        if exchange.status == 200:
            self.tally.answered.add(exchange.request_id)
        if (cost := exchange.headers.get(b"x-headgate-cost-usd")) is not None:
            self.tally.costs[exchange.request_id] = nanos_from_usd(Decimal(cost.decode()))
