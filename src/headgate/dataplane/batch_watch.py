"""Batches that have been charged at the most they can cost, until they have ended: then at what they did cost.

A batch is asked for when its owner sees that it has ended, and else again and again in the background, less and less
often. Several processes may share a database: each time, one of them asks.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Final
from urllib.parse import quote

import msgspec

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import HeadgateError
from headgate.base.tasks import Tasks
from headgate.base.ticks import every
from headgate.catalog.catalog import Catalog
from headgate.catalog.price import Price
from headgate.dataplane.attempt import Sender, failure, own_request
from headgate.dataplane.batch_results import Batch, Results, batch_in
from headgate.dataplane.call import Call
from headgate.dataplane.limits import Limits
from headgate.ledger.correction import Correction
from headgate.routing.plan import Target
from headgate.tenancy.open_batch import Corrections, OpenBatch, OpenBatches
from headgate.tenancy.policy import Provider
from headgate.upstream.client import Answer, Failed
from headgate.wire.dialogue import Outgoing

LOOK_S: Final = 5.0
"""How often it is looked whether one is due."""
SOONEST_S: Final = 10
LATEST_S: Final = 600
"""Between two times that one is asked for: an eighth of its age, within these."""
GIVEN_UP_S: Final = 7 * 86_400
"""So long after it was made it stays charged as it is."""
AT_ONCE: Final = 20
BLOCK: Final = 256 * 1024
"""Bytes of results that are read in one go, in a thread."""
LONGEST_LINE: Final = 64 * 1024 * 1024
TRY_AGAIN_S: Final = 1.0
LAST_WRITES_S: Final = 5.0

Providers = Callable[[str, str, str], Awaitable[Provider | None]]
"""By organization, workspace and integration; None: the workspace has none any more."""


class BatchWatch:
    """One per process. `report` is told of what will be tried again."""

    def __init__(
        self,
        batches: OpenBatches,
        corrections: Corrections,
        providers: Providers,
        catalog: Catalog,
        sender: Sender,
        clock: Clock,
        limits: Limits,
        report: Callable[[str, BaseException], None],
    ) -> None:
        self._batches = batches
        self._corrections = corrections
        self._providers = providers
        self._catalog = catalog
        self._sender = sender
        self._clock = clock
        self._limits = limits
        self._report = report
        self._writes = Tasks(report)
        self._tasks = Tasks(report)

    def start(self) -> None:
        """Ask in the background from now on."""
        self._tasks.start(every(LOOK_S, self.look, lambda error: self._report("batches", error)), "batches")

    async def close(self) -> None:
        """Write down what is not written yet, as far as the database takes it."""
        await self._tasks.close()
        await self._writes.wait(LAST_WRITES_S)
        await self._writes.close()

    def opened(self, call: Call, identifier: str, format_name: str) -> None:
        """The call has made it, and is charged for it."""
        price = call.target.price
        priced = None if price is None else price.under(call.bound.terms) or price
        now = self._clock.now()
        made = OpenBatch(
            id=identifier,
            integration_id=call.target.provider.integration_id,
            organization_id=call.policy.organization_id,
            workspace_id=call.policy.workspace_id,
            request_id=call.request_id,
            started_at=call.started_at,
            format=format_name,
            price="" if priced is None else msgspec.json.encode(priced).decode(),
            allowances=[each.id for each in call.allowances],
            next_at=now + SOONEST_S * NANOS_PER_SECOND,
        )
        self._writes.start(self._write(made), "noting a batch")

    def seen(self, identifier: str, integration_id: str, body: bytes) -> None:
        """Its owner has been shown this of it."""
        if batch_in(body).ended:
            self._tasks.start(self._asked(identifier, integration_id), "reading what a batch has used")

    async def look(self) -> None:
        """Ask for those that are due. Raises `Unavailable`."""
        await asyncio.gather(*map(self._due, await self._batches.due(self._clock.now(), AT_ONCE)))

    async def _due(self, batch: OpenBatch) -> None:
        try:
            await self._claimed(batch)
        except HeadgateError as error:
            self._report(f"the batch {batch.id}", error)

    async def _asked(self, identifier: str, integration_id: str) -> None:
        batch = await self._batches.find(identifier, integration_id)
        if batch is not None:
            await self._claimed(batch)

    async def _claimed(self, batch: OpenBatch) -> None:
        now = self._clock.now()
        age_s = (now - batch.started_at) // NANOS_PER_SECOND
        wait_s = min(max(age_s // 8, SOONEST_S), LATEST_S)
        if not await self._batches.claim(batch, now + wait_s * NANOS_PER_SECOND):
            return
        if age_s >= GIVEN_UP_S:
            await self._corrections.give_up(batch)
            return
        provider = await self._providers(batch.organization_id, batch.workspace_id, batch.integration_id)
        if provider is not None and (provider.expires_at is None or provider.expires_at > now):
            await self._ask(batch, provider)

    async def _ask(self, batch: OpenBatch, provider: Provider) -> None:
        """Raises `UpstreamFailed` and `TimedOut`."""
        spec = self._catalog.provider(provider.kind)
        if spec is None:
            return
        target = Target(provider=provider, spec=spec, model="", format="openai_batches", facts=None, price=None)
        try:
            correction = await self._read(batch, target)
        except Failed as failed:
            raise failure(failed, target) from failed
        if correction is not None:
            await self._corrections.correct(batch, correction)

    async def _read(self, batch: OpenBatch, target: Target) -> Correction | None:
        """What it came to; None: it has not ended, or does not say. Raises `Failed`."""
        spec = target.spec
        path = f"{spec.path('openai_batches', '', stream=False)}/{quote(batch.id, safe='')}"
        with closing(await self._get(batch, target, path)) as answer:
            found = batch_in(await answer.read(self._limits.answer)) if answer.status == 200 else Batch()
        if not found.ended:
            return None
        price = msgspec.json.decode(batch.price, type=Price) if batch.price else None
        results = Results(batch.format, price)
        if found.output_file_id:
            path = f"{spec.path('openai_files', '', stream=False)}/{quote(found.output_file_id, safe='')}/content"
            with closing(await self._get(batch, target, path)) as answer:
                if answer.status != 200:
                    return None
                await _read_lines(answer, results)
        return results.of(found)

    async def _get(self, batch: OpenBatch, target: Target, path: str) -> Answer:
        request = own_request(target, Outgoing(b"", (), b"GET", path.encode()), batch.request_id)
        return await self._sender.send(request, self._limits.deadlines)

    async def _write(self, made: OpenBatch) -> None:
        while True:
            try:
                await self._batches.put(made)
            except HeadgateError:
                await asyncio.sleep(TRY_AGAIN_S)
            else:
                return


async def _read_lines(answer: Answer, results: Results) -> None:
    """All lines, a block at a time: the file may be large. Raises `Failed` where it breaks off."""

    def add(lines: list[bytes]) -> None:
        for line in lines:
            if line.strip():
                results.add(line)

    waiting = bytearray()
    while data := await answer.next():
        waiting += data
        if len(waiting) > LONGEST_LINE:
            raise Failed("too_large", "a line of a batch's results", sent=True)
        if len(waiting) >= BLOCK and (end := waiting.rfind(b"\n")) >= 0:
            await asyncio.to_thread(add, bytes(waiting[:end]).split(b"\n"))
            del waiting[: end + 1]
    await asyncio.to_thread(add, bytes(waiting).split(b"\n"))
