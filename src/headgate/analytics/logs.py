"""Request logs: the records of calls, searched and shown."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from headgate.analytics.asked import calls_asked
from headgate.analytics.bodies import Bodies
from headgate.analytics.calls import Calls
from headgate.analytics.log_lines import detail, line
from headgate.analytics.stores import LogReader, Place, UsageReader
from headgate.base.clock import Clock
from headgate.base.errors import InvalidRequest
from headgate.ledger.record import UsageRecord
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Transactions

MOST_LINES: Final = 1_000
"""Of one page."""


class LogService:
    """A workspace's key sees its workspace, a tenant's key its tenant, the organization's all."""

    def __init__(
        self, transactions: Transactions, reader: LogReader, sums: UsageReader, bodies: Bodies, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._reader = reader
        self._sums = sums
        self._bodies = bodies
        self._clock = clock

    async def find(
        self, principal: Principal, asked: Mapping[str, Any], *, cursor: str | None, limit: int, count: bool
    ) -> dict[str, Any]:
        """The latest first. `next_cursor` leads to the lines before, whatever has come since; None: there are none.
        `total` only where it is to be counted."""
        calls = await self._calls(principal, asked)
        found = await self._reader.latest(calls, _place(cursor) if cursor else None, limit + 1)
        answer: dict[str, Any] = {
            "object": "list",
            "data": [line(record) for record in found[:limit]],
            "next_cursor": _cursor(found[:limit]) if len(found) > limit else None,
        }
        if count:
            answer["total"] = sum([sums.calls for sums in (await self._sums.grouped(calls, "")).values()])
        return answer

    async def get(self, principal: Principal, log_id: str) -> dict[str, Any]:
        """One call, with its bodies where they are kept; or a log that was sent in. Raises `NotFound`."""
        if "\0" in log_id:  # which PostgreSQL does not take
            raise not_found("log", log_id)
        calls = await self._calls(principal, {})
        found = await self._reader.latest(replace(calls, since=0, until=2**62, request_ids=(log_id,)), None, 1)
        if found:
            return detail(found[0], await self._bodies.get(principal.organization_id, found[0].request_id))
        sent = await self._bodies.sent(principal, log_id)
        if sent is None:
            raise not_found("log", log_id)
        return sent

    async def _calls(self, principal: Principal, asked: Mapping[str, Any]) -> Calls:
        now = self._clock.now()
        return await self._transactions.read(lambda stores: calls_asked(stores, principal, asked, now))


def _cursor(shown: Sequence[UsageRecord]) -> str:
    last = shown[-1]
    return urlsafe_b64encode(f"{last.started_at}:{last.request_id}".encode()).decode()


def _place(cursor: str) -> Place:
    try:
        at, _, name = urlsafe_b64decode(cursor.encode()).decode().partition(":")
        if 0 <= int(at) < 2**63 and "\0" not in name:
            return int(at), name
    except ValueError:
        pass
    raise InvalidRequest("`cursor` must be the `next_cursor` of an earlier answer.", param="cursor")
