"""Plays one scene before one gateway, and says by the provider's books what came of it."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from bench.overspend.scene import PRICES, Scene
from headgate.base.money import nanos_from_usd
from headgate.simulator import books
from tests.support.mix import Request
from tests.support.money_oracle import cost
from tests.support.swarm import Seen, send

PATH = "/v1/chat/completions"
WITHIN_S = 20.0
"""How long callers keep coming back."""
FIRST_CALLS = 20
"""Calls that are through before a budget is edited or a gateway killed."""
PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Books:
    """What a gateway recorded: by how many records it is short, and how many it has too many; and what it charged, in
    nano-dollars, for calls that were under way when it was killed and that the provider never billed."""

    lost: int
    double: int
    written_off: int = 0


class Tried(Protocol):
    """A gateway to be tried."""

    name: str
    journal: Path
    """The simulator's, behind it."""

    def model(self, name: str) -> str: ...

    @property
    def url(self) -> str:
        """Where it listens now."""
        ...

    def new_key(self, scene: Scene) -> str:
        """With the scene's budget, and its fallback where it has one."""
        ...

    def edit(self, key: str, dollars: float) -> None: ...

    def kill(self) -> None:
        """SIGKILL; returns at once."""
        ...

    def start_again(self) -> None:
        """Returns when it takes calls."""
        ...

    def books(self, key: str, billed: list[books.Call]) -> Books:
        """Joins its records of this key with what the provider billed."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; its dollars are nano-dollars.

    A refusal is false that says the budget is spent, while more than a twentieth of it was left in the end.
    """

    scene: str
    who: str
    calls: int = 0
    admitted: int = 0
    budget: int = 0
    billed: int = 0
    written_off: int = 0
    false_refusals: int = 0
    lost: int = 0
    double: int = 0
    note: str = ""

    @property
    def overspend(self) -> int:
        return max(0, self.billed - self.budget)

    @property
    def usable(self) -> int:
        """What of the budget was billed, or had to be charged because nobody could know that it was not."""
        return min(self.billed + self.written_off, self.budget)

    @property
    def wrong(self) -> bool:
        """Money was overspent, or a call lost or doubled."""
        return bool(self.overspend or self.lost or self.double)


def play(gateway: Tried, scene: Scene) -> Row:
    """The scene from its first call to its last record."""
    before = len(books.read(gateway.journal))
    key = gateway.new_key(scene)
    stage = _Stage(gateway, scene, key)
    asyncio.run(stage.play())
    billed = _ended(gateway.journal, before)
    known = gateway.books(key, billed)
    budget = nanos_from_usd(Decimal(str(scene.budget)))
    costs = [cost(call.usage, *PRICES[call.intent.model]) for call in billed]
    left = budget - sum(costs) - known.written_off
    return Row(
        scene=scene.name,
        who=gateway.name,
        calls=stage.calls,
        admitted=sum(1 for call in billed if call.usage),
        budget=budget,
        billed=sum(costs),
        written_off=known.written_off,
        false_refusals=stage.sent_away if any(costs) and left > budget // 20 else 0,
        lost=known.lost,
        double=known.double,
    )


def _ended(journal: Path, before: int) -> list[books.Call]:
    """The calls since then, once the provider has ended them all."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        calls = books.read(journal)[before:]
        if all(call.billed is not None for call in calls) or time.monotonic() > deadline:
            return calls
        time.sleep(0.05)


class _Stage:
    """The callers of one scene, and what happens to them. `sent_away`: those who were told not to come back."""

    def __init__(self, gateway: Tried, scene: Scene, key: str) -> None:
        self.calls = 0
        self.sent_away = 0
        self._gateway = gateway
        self._scene = scene
        self._key = key
        self._request = Request(PATH, scene.body(gateway.model(scene.model)), scene.max_tokens)
        self._through = 0
        self._some_through = asyncio.Event()
        self._happened = asyncio.Event()
        self._open = asyncio.Event()
        self._until = 0.0

    async def play(self) -> None:
        self._until = time.monotonic() + WITHIN_S
        self._open.set()
        happening = asyncio.get_running_loop().create_task(self._happening())
        await asyncio.gather(*map(self._caller, range(self._scene.callers)))
        self._some_through.set()
        await happening

    async def _caller(self, number: int) -> None:
        while time.monotonic() < self._until:
            await self._open.wait()
            ended = self._happened.is_set()
            seen = await self._call(number)
            if seen.status == 200 or (self._scene.leave and seen.status == 0):
                self._is_through()
            elif seen.status == 0:
                await asyncio.sleep(0.05)
            elif (wait := seen.headers.get("retry-after")) is not None:
                await asyncio.sleep(min(float(wait), PATIENCE_S))
            elif ended:
                self.sent_away += 1
                return
            else:  # a larger budget is on its way
                self._some_through.set()
                await self._happened.wait()

    async def _call(self, number: int) -> Seen:
        self.calls += 1
        sending = send(self._gateway.url, self._key, self._request)
        if not self._scene.leave or number % 2:
            return await sending
        seen = Seen(self._key, self._request)
        with suppress(TimeoutError):
            seen = await asyncio.wait_for(sending, 0.3)  # a quarter of the answer
        return seen

    def _is_through(self) -> None:
        self._through += 1
        if self._through >= FIRST_CALLS:
            self._some_through.set()

    async def _happening(self) -> None:
        """What the scene has in store, once some calls are through."""
        if self._scene.edited_to is not None:
            await self._some_through.wait()
            await asyncio.to_thread(self._gateway.edit, self._key, self._scene.budget)
        elif self._scene.killed:
            await self._some_through.wait()
            self._open.clear()
            self._gateway.kill()
            await asyncio.to_thread(self._gateway.start_again)
            self._until = time.monotonic() + WITHIN_S
            self._open.set()
        self._happened.set()
