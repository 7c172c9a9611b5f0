"""Which generation of the authority's data counts, group by group, and how this process joins a new one.

A generation ends when its data was lost or may be older than it was (Redis was emptied, restarted or failed over), and
when a process that held something was lost. Nothing is lent in the next one until everybody who may hold something has
said what, and has written down what it used; then the past is read from the usage records.
"""

from collections.abc import Awaitable, Callable, Sequence
from secrets import token_bytes
from typing import Final

from headgate.base.clock import Clock
from headgate.ledger.borrowed import BorrowedShares
from headgate.ledger.share import Share
from headgate.storage.shares.authority import GROUPS, Authority, Stale, group_of

Written = Callable[[], Awaitable[None]]
"""Once it returns, all that was settled before is in the usage records. Raises `Unavailable`."""

Members = Callable[[], Awaitable[Sequence[str]]]
"""All processes that may hold something, this one included, as the database knows them. Raises `Unavailable`."""

_ALL: Final = range(GROUPS)


class Generations:
    """Of one process. `current` is by group: the one that this process has joined, "" for none. `waits_for`: who had
    not told what it holds at the last look, so that nothing is lent."""

    def __init__(
        self,
        node: str,
        shares: BorrowedShares,
        authority: Authority,
        members: Members,
        written: Written,
        clock: Clock,
        random: Callable[[int], bytes] = token_bytes,
    ) -> None:
        self.node = node
        self.current = [""] * GROUPS
        self.waits_for: frozenset[str] = frozenset()
        self._begun = [""] * GROUPS
        self._open = [False] * GROUPS
        self._shares = shares
        self._authority = authority
        self._members = members
        self._written = written
        self._clock = clock
        self._random = random

    async def look(self) -> None:
        """Join what is new, and help to open what is not open. Raises `Unavailable`."""
        found = [each.generation for each in await self._authority.look()]
        lost = [(group, "") for group in _ALL if not found[group]]
        for (group, _), begun in zip(lost, await self._authority.end_generation(lost, self._name()), strict=True):
            found[group] = begun
        await self._join([group for group in _ALL if found[group] != self.current[group]], found)
        shut = [(group, self.current[group]) for group in _ALL if not self._open[group]]
        waits_for: set[str] = set()
        if shut:
            await self._authority.admit(shut, await self._members())
            markers = await self._authority.look()
            for group, generation in shut:
                self._open[group] = markers[group].open and markers[group].generation == generation
                waits_for.update(markers[group].waits_for)
        self.waits_for = frozenset(waits_for)

    async def end(self) -> None:
        """Begin the next generation everywhere: somebody who held something is gone for good. Raises `Unavailable`."""
        markers = await self._authority.look()
        await self._authority.end_generation([(group, markers[group].generation) for group in _ALL], self._name())

    def _name(self) -> str:
        """Of a generation. Not a number: the server's clock may be set back, and its data be lost."""
        return self._random(12).hex()

    def heard(self, share: Share, *, is_open: bool) -> None:
        """The authority said so of the generation that this process has joined."""
        self._open[group_of(share.allowance_id)] = is_open

    @property
    def whole(self) -> bool:
        """Whether more is lent of everything."""
        return all(self._open)

    def is_open(self, share: Share) -> bool:
        return self._open[group_of(share.allowance_id)]

    async def _join(self, groups: Sequence[int], found: Sequence[str]) -> None:
        if not groups:
            return
        await self._begin([group for group in groups if self._begun[group] != found[group]], found)
        steady = self._clock.monotonic()
        generations = list(self.current)
        for group in groups:
            generations[group] = found[group]
        messages = []
        for share in self._in(groups):
            share.expire(steady)
            share.harvest(steady)
            if share.idle:
                continue
            keep = share.kept
            messages.append(share.message(keep, keep, keep, keep, steady))
        answers = await self._authority.sync(self.node, generations, messages)
        stale = {
            group_of(message.share.allowance_id)
            for message, answer in zip(messages, answers, strict=True)
            if isinstance(answer, Stale)
        }
        for message, answer in zip(messages, answers, strict=True):
            if not isinstance(answer, Stale):
                message.share.answered(answer)
        joined = [(group, found[group]) for group in groups if group not in stale]
        await self._authority.confirm(joined, self.node)
        for group, generation in joined:
            self.current[group], self._open[group] = generation, False

    async def _begin(self, groups: Sequence[int], found: Sequence[str]) -> None:
        """What was used until now is in the usage records once this returns, and is told no more. Once in a generation:
        what may have been heard of it already is numbered, and said again by the same numbers."""
        ours = self._in(groups)
        for share in ours:
            share.mark(self._clock.monotonic())
        if ours:
            await self._written()
        for share in ours:
            share.begin_generation()
        for group in groups:
            self._begun[group] = found[group]

    def _in(self, groups: Sequence[int]) -> list[Share]:
        theirs = set(groups)
        return [share for share in self._shares if group_of(share.allowance_id) in theirs]
