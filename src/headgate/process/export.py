"""Usage records for files: read some at a time, beside a running server."""

from collections.abc import AsyncIterator, Mapping, Sequence

from headgate.analytics.asked import FILTERS, calls_asked
from headgate.analytics.export_lines import Lines
from headgate.analytics.exporter import AT_ONCE
from headgate.analytics.log_lines import COLUMNS
from headgate.analytics.stores import Place
from headgate.base.clock import SystemClock
from headgate.base.errors import InvalidRequest
from headgate.process.look import opened
from headgate.settings import Settings
from headgate.storage import migrate as migrations
from headgate.storage.analytics.logs import SqlLogReader
from headgate.storage.stores import SqlTransactions
from headgate.tenancy.principal import Principal
from headgate.tenancy.usage_export import ExportFormat


async def usage_lines(
    settings: Settings, filters: Mapping[str, str], columns: Sequence[str], form: ExportFormat
) -> AsyncIterator[bytes]:
    """The records of every organization, oldest first. Raises `InvalidRequest` for a filter or column that is none."""
    for kind, names, known in (("filter", filters, FILTERS), ("column", columns, tuple(COLUMNS))):
        if unknown := [name for name in names if name not in known]:
            raise InvalidRequest(f"There is no {kind} `{unknown[0]}`. Known: {', '.join(known)}.", param=kind)
    lines = Lines(form, columns or tuple(COLUMNS), None)
    now = SystemClock().now()
    async with opened(settings) as database:
        await migrations.require_newest(database)
        transactions, reader = SqlTransactions(database), SqlLogReader(database)
        yield lines.head()
        for organization in await transactions.read(lambda stores: stores.organizations.all()):
            principal = Principal.operator(organization.id)
            calls = await transactions.read(
                lambda stores, principal=principal: calls_asked(stores, principal, filters, now)  # type: ignore[misc]
            )
            place: Place | None = None
            while records := await reader.after(calls, place, AT_ONCE):
                yield await lines.of(records)
                place = records[-1].started_at, records[-1].request_id
