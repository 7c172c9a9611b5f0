"""How a process borrows: all that the calls of a moment lack, in one round trip; and gives back what it does not need.

One trip is under way at a time. What calls lack meanwhile waits for the next, so that however many calls wait, the
authority is asked once for each allowance.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from headgate.base.clock import NANOS_PER_MS, NANOS_PER_SECOND, Clock
from headgate.base.errors import Unavailable
from headgate.base.tasks import Tasks
from headgate.base.ticks import every
from headgate.ledger.allowance import Allowance, Amounts, Resource
from headgate.ledger.borrowed import BorrowedShares
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.period import NEVER
from headgate.ledger.share import LEASE, Message, Share
from headgate.storage.shares.authority import Authority, AuthorityAway, Stale
from headgate.storage.shares.generations import Generations
from headgate.storage.shares.trips import Trips

PAUSE_S: Final = 0.05
"""Between two looks at what is borrowed."""
UNTOLD: Final = 150 * NANOS_PER_MS
"""What was used is told, and what is not needed given back, no later than this; at once where others want it."""
KEPT_FOR: Final = NANOS_PER_SECOND
"""A share that was too small twice within so long becomes larger than what calls need now."""
IDLE: Final = NANOS_PER_SECOND // 2
"""Nobody needed more for so long: nothing is kept beyond what calls hold."""
REFUSED_FOR: Final = 100 * NANOS_PER_MS
"""A refusal is remembered for so long: the same is not asked again."""
REMINDED: Final = 600 * NANOS_PER_SECOND
"""The authority hears at least as often of what is held for long."""
LOOK_S: Final = 0.5
FORGOTTEN_S: Final = 3_600
REBUILT_WITHIN: Final = 5 * NANOS_PER_SECOND
"""What the authority lost is there again by then, unless somebody who may hold something is missing."""
AGAIN_S: Final = 0.05
PATIENCE_S: Final = 3.0
"""A call waits no longer while the authority's data is rebuilt."""

Past = Callable[[Sequence[Allowance]], Awaitable[Mapping[str, Sequence[tuple[int, int]]]]]
"""What usage records say of the past of these, by id: (moment on the wall clock, amount)."""
Report = Callable[[str, BaseException], None]
Ask = tuple[Share, int]


class Borrowing:
    """Of one process. What it could not tell in the background is told again, and `report` hears of it once."""

    def __init__(
        self,
        ledger: LocalLedger,
        shares: BorrowedShares,
        authority: Authority,
        generations: Generations,
        past: Past,
        clock: Clock,
        report: Report,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._ledger = ledger
        self._shares = shares
        self._authority = authority
        self._generations = generations
        self._past = past
        self._clock = clock
        self._report = report
        self.patience_s = patience_s
        self._allowances: dict[str, Allowance] = {}
        self._active: dict[Share, None] = {}
        self._pending: dict[Share, list[int]] = {}
        self._turn: asyncio.Future[None] | None = None
        self._moving = asyncio.Lock()
        self._tasks = Tasks(report)
        self._whole_at = -NEVER
        self.trips = Trips()

    def start(self) -> None:
        """Give back and tell in the background from now on."""
        self._tasks.start(every(PAUSE_S, self.beat, partial(self._report, "shares")), "shares")
        self._tasks.start(every(LOOK_S, self.look, partial(self._report, "generations of shares")), "generations")

    async def close(self) -> None:
        """Give back all that is not held, tell all that was used. Raises `AuthorityAway`."""
        await self._tasks.close()
        await self.tell(self._shares)

    def trouble(self) -> str | None:
        """Why no call can be let in, but on what is borrowed already; None: it can."""
        steady = self._clock.monotonic()
        if steady - self._authority.heard_at >= LEASE:
            return "redis does not answer"
        if steady - self._whole_at >= REBUILT_WITHIN:
            return "shared allowances are being rebuilt"
        return None

    @property
    def held(self) -> int:
        """Allowances of which something is borrowed."""
        return sum(share.entitled > share.used for share in self._active)

    async def hear(self) -> None:
        """Once it returns, the authority's time is known: until then periods would begin by this machine's. Raises
        `Unavailable`."""
        if self._authority.heard_at == -NEVER:
            await self.look()

    async def know(self, allowances: Sequence[Allowance]) -> None:
        """Once it returns, the ledger has these and where they stand. Raises `Unavailable`."""
        asks = [(share, 0) for each in allowances if not (share := self._share(each)).known]
        if asks:
            await self._ask_until_known(asks)

    async def refresh(self, allowances: Sequence[Allowance]) -> None:
        """Once it returns, the figures of these are the authority's of this moment. Raises `Unavailable`."""
        await self._ask_until_known([(self._share(each), 0) for each in allowances])

    async def borrow(self, allowances: Sequence[Allowance], amounts: Amounts, *, anew: bool = False) -> bool | None:
        """What a call lacks for these amounts here. True: it is here, unless another call was faster; decide again,
        and ask again. False: there is not enough; decide again, on what the authority says. None: nobody was asked,
        because nothing is lacking, or there was not enough a moment ago; then only if not `anew`.

        Raises `Unavailable`.
        """
        figures = dict(zip(Resource, amounts.figures(in_flight=1), strict=True))
        return await self._borrow([(self._share(each), figures[each.resource]) for each in allowances], anew=anew)

    async def borrow_more(self, request_id: str, more: Amounts) -> bool | None:
        """The same for what a call that holds lacks in order to hold more."""
        figures = dict(zip(Resource, more.figures(in_flight=0), strict=True)) | {Resource.REQUESTS: 0}
        asks = []
        for allowance, cell in self._ledger.cells(request_id):
            share = self._shares.held_in(cell, allowance)
            self._remember(share, allowance)
            asks.append((share, figures[allowance.resource]))
        return await self._borrow(asks)

    async def _borrow(self, asks: Sequence[Ask], *, anew: bool = False) -> bool | None:
        steady = self._clock.monotonic()
        lacking = [(share, asked) for share, asked in dict(asks).items() if _lacks(share, asked, steady)]
        if not lacking or (not anew and any(_is_refused(share, asked, steady) for share, asked in lacking)):
            return None
        self.trips.waited += 1
        await self._ask_until_known(lacking)
        steady = self._clock.monotonic()
        return not any(_is_refused(share, asked, steady) for share, asked in lacking)

    async def _ask_until_known(self, asks: Sequence[Ask]) -> None:
        try:
            async with asyncio.timeout(self.patience_s):
                await self._ask(asks)
                while not all(self._is_known(share) for share, _ in asks):
                    await asyncio.sleep(AGAIN_S)
                    await self._ask(asks)
        except TimeoutError:
            raise Unavailable(
                "Headgate cannot tell what is left of this key's limits: what processes share is being rebuilt.",
                code="shares_rebuilding",
                retry_after=1.0,
            ) from None

    def _is_known(self, share: Share) -> bool:
        """A period that is over, and was lost, is not rebuilt: there is no more of it."""
        return self._generations.is_open(share) and (share.known or not share.current)

    def _share(self, allowance: Allowance) -> Share:
        self._ledger.open(allowance)
        share = self._shares.share(allowance)
        self._remember(share, allowance)
        return share

    def _remember(self, share: Share, allowance: Allowance) -> None:
        self._allowances[allowance.id] = allowance
        if allowance.cap != share.cap:
            share.name(allowance.cap)

    async def _ask(self, asks: Iterable[Ask]) -> None:
        """In the next round trip, which is that of all who ask before it begins."""
        for share, asked in asks:
            self._pending.setdefault(share, []).append(asked)
        if self._turn is None:
            self._turn = asyncio.get_running_loop().create_future()
            self._tasks.start(self._trip(self._turn), "a trip for shares")
        await asyncio.shield(self._turn)

    async def _trip(self, turn: "asyncio.Future[None]") -> None:
        try:
            async with self._moving:
                pending, self._pending, self._turn = self._pending, {}, None
                await self._move(pending)
        except BaseException as error:
            if self._turn is turn:
                self._turn, self._pending = None, {}
            if not turn.done():
                turn.set_exception(error if isinstance(error, Unavailable) else AuthorityAway(str(error)))
                turn.exception()  # whoever asked may have left
            if not isinstance(error, Unavailable):
                raise
        else:
            if not turn.done():
                turn.set_result(None)

    async def _move(self, pending: Mapping[Share, Sequence[int]]) -> None:
        answers = await self._exchange(pending)
        if any(isinstance(each, Stale) for each in answers.values()):
            await self._generations.look()
            await self._exchange({share: pending[share] for share, each in answers.items() if isinstance(each, Stale)})
        unknown = [share for share in pending if not share.known and self._generations.is_open(share)]
        if unknown:
            await self._tell_past(unknown)
            await self._exchange({share: pending[share] for share in unknown})

    async def _exchange(self, pending: Mapping[Share, Sequence[int]]) -> dict[Share, object]:
        steady = self._clock.monotonic()
        messages = [self._message(share, asks, steady) for share, asks in pending.items()]
        begun = self._clock.monotonic()
        answers = await self._authority.sync(self._generations.node, self._generations.current, messages)
        self.trips.took(self._clock.monotonic() - begun)
        for message, answer in zip(messages, answers, strict=True):
            share = message.share
            if isinstance(answer, Stale):
                continue
            share.answered(answer)
            self._generations.heard(share, is_open=answer.open)
            if share.idle:
                self._active.pop(share, None)
            else:
                self._active[share] = None
            if message.ask > message.keep and answer.entitled < message.least and answer.based and answer.open:
                share.refused_most = max(share.room, 0) + max(answer.left_of(share.cap), 0)
                share.refused_until = steady + REFUSED_FOR
            else:
                share.refused_until = steady
        return {message.share: answer for message, answer in zip(messages, answers, strict=True)}

    def _message(self, share: Share, asks: Sequence[int], steady: int) -> Message:
        share.harvest(steady)
        total, needed = share.total, sum(asks)
        if needed:
            hot = steady - share.lacked_at < KEPT_FOR
            share.ahead = max(2 * share.ahead, needed) if hot else 0
            share.lacked_at = steady
            keep = share.kept
            least = max(keep, total + min(each for each in asks if each))
            ask = max(keep, total + needed)
            return share.message(keep, least, ask, max(ask, total + needed + share.ahead), steady)
        idle = self._clock.now() - share.counter.used_at > IDLE
        if share.tight or not share.current or idle:
            share.ahead = 0
        elif share.room * 4 >= share.ahead * 3 and steady - share.lacked_at >= KEPT_FOR:
            share.ahead //= 2
        goal = total + share.ahead
        keep = min(share.kept, goal)
        return share.message(keep, keep, keep, max(keep, goal), steady)

    async def _tell_past(self, shares: Sequence[Share]) -> None:
        of_now = [share for share in shares if share.current]
        allowances = [self._allowances[share.allowance_id] for share in of_now]
        found = await self._past([each for each in allowances if each.resource is not Resource.IN_FLIGHT])
        await self._authority.base(
            self._generations.current, [(share, found.get(share.allowance_id, ())) for share in of_now]
        )

    async def tell(self, shares: Iterable[Share]) -> None:
        """What was used of these, and give back what is not needed. Raises `Unavailable`."""
        asks: list[Ask] = []
        for share in shares:
            share.harvest(self._clock.monotonic())
            if not share.idle:
                share.ahead = 0
                asks.append((share, 0))
        if asks:
            await self._ask(asks)

    async def beat(self) -> None:
        """One look at what is borrowed. Raises `Unavailable`."""
        steady = self._clock.monotonic()
        due: list[Ask] = []
        for share in self._active:
            since = steady - share.asked_at
            if since >= REMINDED or ((since >= UNTOLD or share.tight) and not share.silent):
                due.append((share, 0))
        if due:
            await self._ask(due)
        wanted = [(share, 0) for share, _ in due if share.tight and share.room > 0]
        if wanted:
            await self._ask(wanted)

    async def look(self) -> None:
        """Which generation counts; and forget what nobody asks for. Raises `Unavailable`."""
        async with self._moving:
            await self._generations.look()
        if self._generations.whole:
            self._whole_at = self._clock.monotonic()
        idle = self._shares.idle_since(self._clock.now() - FORGOTTEN_S * NANOS_PER_SECOND)
        for name in self._ledger.forget(idle, FORGOTTEN_S):
            self._shares.forget(name)
            self._allowances.pop(name, None)
        self._active |= dict.fromkeys(share for share in self._shares if not share.idle)


def _lacks(share: Share, asked: int, steady: int) -> bool:
    """What was spent when it was last heard of may no longer be."""
    if asked or share.room > 0:
        return asked > share.room or not share.known
    return steady - share.asked_at >= REFUSED_FOR


def _is_refused(share: Share, asked: int, steady: int) -> bool:
    """As far as the authority's last refusal is remembered."""
    return asked > share.room and asked > share.refused_most and steady < share.refused_until
