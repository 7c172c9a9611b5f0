"""The authority over shared allowances, on Redis or Valkey: its functions, called in one round trip for many."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ConnectionError as Broken
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as TooLate

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import Unavailable
from headgate.ledger.period import NEVER
from headgate.ledger.share import Answer, Message, Share
from headgate.storage.kept_sums import Key
from headgate.storage.shares.server_clock import ServerClock

GROUPS: Final = 32
"""Allowances are spread over so many slots, each with a marker that says which generation of its data counts."""
MOST: Final = 2**53 - 1
"""The largest number the functions tell from its neighbours: about 9 million dollars in nano-dollars."""
SOURCE: Final = "\n".join(
    files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8") for name in ("functions", "generations")
)
_KEPT_MS: Final = 2 * 86_400_000
"""How long data stays that nobody asks for: its past is in the usage records."""
NO_EVICTION: Final = "noeviction"
_LIBRARY: Final = "headgate_shares"
_BROKEN: Final = (RedisError, OSError, RuntimeError)
"""The last is uvloop's word for a connection that was closed a moment ago."""
_MICRO: Final = 1_000


class AuthorityAway(Unavailable):
    """Redis cannot be reached, or does not answer as it should: what was borrowed can still be used."""

    code = "shares_unavailable"


class Evicts(AuthorityAway):
    """Redis may forget what it was told, so nothing is lent there."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Another generation of the data counts now; "" if none does, because the data was lost."""

    generation: str


@dataclass(frozen=True, slots=True)
class Marker:
    """`waits_for`: who has not told yet what it holds; nothing is lent until then."""

    generation: str
    open: bool
    waits_for: tuple[str, ...]


def group_of(allowance_id: str) -> int:
    return zlib.crc32(allowance_id.encode()) % GROUPS


class Authority:
    """All calls raise `AuthorityAway`: then nobody knows whether they were heard. Repeated, they change nothing."""

    def __init__(
        self, redis: "Redis | RedisCluster", clock: Clock, server_clock: ServerClock | None = None, source: str = SOURCE
    ) -> None:
        self._redis: Any = redis
        self._clock = clock
        self._server_clock = server_clock
        self.heard_at = -NEVER
        """When it last answered (steady)."""
        # By its content, so that two versions of Headgate can run at once, each on its own functions.
        self._library = f"{_LIBRARY}_{hashlib.sha256(source.encode()).hexdigest()[:12]}"
        self._source = source.replace(_LIBRARY, self._library)

    async def close(self) -> None:
        await self._redis.aclose()

    async def check(self) -> None:
        """That the server keeps what it is told: one that may evict keys would forget what it has lent. Raises
        `Evicts`."""
        where = {"target_nodes": RedisCluster.PRIMARIES} if isinstance(self._redis, RedisCluster) else {}
        try:
            found = await self._redis.info("memory", **where)
        except _BROKEN as error:
            raise _away(error) from error
        for each in found.values() if where else [found]:
            if (policy := each.get("maxmemory_policy")) not in (None, NO_EVICTION):
                raise Evicts(
                    f"Redis may evict what Headgate keeps in it: its maxmemory-policy is {policy}. Set it to "
                    f"{NO_EVICTION}, or name a Redis of its own in redis_url.",
                    retry_after=1.0,
                )

    async def sync(self, node: str, generations: Sequence[str], messages: Sequence[Message]) -> list[Answer | Stale]:
        """Tell and ask; the answers in the same order. `generations` by group."""
        calls = []
        now, steady = self._clock.now(), self._clock.monotonic()
        for each in messages:
            group = group_of(each.share.allowance_id)
            uses = [number for amount, at in each.uses for number in (amount, max(steady - at, 0) // _MICRO)]
            numbers = (each.first, each.used, each.keep, each.least, each.ask, each.want, each.held)
            calls.append(
                (
                    "sync",
                    _keys(each.share.allowance_id, each.share.start),
                    (
                        generations[group],
                        f"{node}.{each.share.life}" if each.share.life else node,
                        each.seq,
                        min(each.cap, MOST),
                        each.share.length // _MICRO,
                        _kept_ms(each.share, now),
                        now // _MICRO,
                        *numbers,
                        *uses,
                    ),
                )
            )
        return [self._answer(reply) for reply in await self._call(calls)]

    def _answer(self, reply: Any) -> Answer | Stale:
        if reply[0] == b"stale":
            return Stale(reply[1].decode())
        _, time, share, count, settled, lent, held, frees, based, is_open, wanted, used = (
            reply[0],
            *(int(number) for number in reply[1:]),
        )
        if self._server_clock is not None:
            self._server_clock.heard(time * _MICRO)
        return Answer(share, count, used, settled, lent, held, frees * _MICRO, bool(based), bool(is_open), bool(wanted))

    async def base(self, generations: Sequence[str], found: Sequence[tuple[Share, Sequence[tuple[int, int]]]]) -> None:
        """What usage records say of the past of these: (moment on the wall clock, amount)."""
        now = self._clock.now()
        calls = []
        for share, uses in found:
            past = [number for at, amount in uses for number in (amount, max(now - at, 0) // _MICRO)]
            generation = generations[group_of(share.allowance_id)]
            fixed = (generation, share.length // _MICRO, _kept_ms(share, now))
            calls.append(("base", _keys(share.allowance_id, share.start), (*fixed, *past)))
        await self._call(calls)

    async def since(self, periods: Sequence[Key]) -> list[str]:
        """Which reading of the past of each is counted; "" for none."""
        return [reply.decode() for reply in await self._call([("since", _keys(*each), ()) for each in periods])]

    async def correct(self, name: str, found: Sequence[tuple[Key, str, int]]) -> None:
        """Of a call that began in these periods it is known now that it used so much more, or less: in the usage
        records, and here where the reading of the past is still the one that did not know. Once for each `name`."""
        await self._call([("correct", _keys(*period), (since, name, more)) for period, since, more in found])

    async def look(self) -> list[Marker]:
        """At the markers of all groups."""
        replies = await self._call([("look", (_marker(group),), ()) for group in range(GROUPS)])
        if self._server_clock is not None:
            self._server_clock.heard(int(replies[-1][2]) * _MICRO)
        return [
            Marker(found[0].decode(), bool(found[1]), tuple(each.decode() for each in found[3:])) for found in replies
        ]

    async def end_generation(self, ends: Sequence[tuple[int, str]], name: str) -> list[str]:
        """Of these groups, if it is still that one, and begin one of this name, which none ever had; which one counts
        now. Only on a server that does not evict."""
        if ends:
            await self.check()
        replies = await self._call([("close", (_marker(group),), (ended, name)) for group, ended in ends])
        return [found.decode() for found in replies]

    async def admit(self, generations: Sequence[tuple[int, str]], members: Sequence[str]) -> None:
        """These may hold something, and nobody else."""
        await self._call([("admit", (_marker(group),), (each, *members)) for group, each in generations])

    async def confirm(self, generations: Sequence[tuple[int, str]], node: str) -> None:
        """It has told all that it holds in these groups."""
        await self._call([("confirm", (_marker(group),), (each, node)) for group, each in generations])

    async def _call(self, calls: Sequence[tuple[str, Sequence[str], Sequence[object]]]) -> list[Any]:
        if not calls:
            return []
        replies = await self._pipelined(calls)
        if any(isinstance(each, ResponseError) and "unction not found" in str(each) for each in replies):
            await self._load()
            replies = await self._pipelined(calls)
        for each in replies:
            if isinstance(each, Exception):
                raise _away(each) from each
        self.heard_at = self._clock.monotonic()
        return replies

    async def _pipelined(self, calls: Sequence[tuple[str, Sequence[str], Sequence[object]]]) -> list[Any]:
        try:
            replies = await self._executed(calls)
            if any(isinstance(each, Broken | TooLate) for each in replies):
                # Only a cluster answers so. Another of its servers may be the primary now: it is asked anew.
                await self._redis.aclose()
                if not any(isinstance(each, TooLate) for each in replies):
                    replies = await self._executed(calls)
        except _BROKEN as error:
            raise _away(error) from error
        return replies

    async def _executed(self, calls: Sequence[tuple[str, Sequence[str], Sequence[object]]]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for name, keys, arguments in calls:
            pipeline.execute_command("FCALL", f"{self._library}_{name}", len(keys), *keys, *arguments)
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies

    async def _load(self) -> None:
        try:
            await self._redis.function_load(self._source, replace=True)
        except _BROKEN as error:
            raise _away(error) from error


def _keys(allowance_id: str, start: int) -> tuple[str, str]:
    marker = _marker(group_of(allowance_id))
    return f"{marker}:{allowance_id}|{start // NANOS_PER_SECOND}", marker


def _marker(group: int) -> str:
    return f"headgate:{{{group}}}"


def _kept_ms(share: Share, now: int) -> int:
    left = 0 if share.end >= NEVER else max(share.end - now, 0)
    return _KEPT_MS + (left + share.length) // 1_000_000


def _away(error: Exception) -> AuthorityAway:
    return AuthorityAway(
        f"Headgate cannot ask what other processes leave of this key's limits: Redis does not answer ({error}).",
        retry_after=1.0,
    )
