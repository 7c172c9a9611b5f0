"""Which cells and which records a question is about, in the words of the database."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, or_, select

from headgate.analytics.calls import ANY, METADATA, Between, Calls, Label
from headgate.storage.analytics.labels import USER
from headgate.storage.analytics_tables import usage_cell, usage_what, usage_who, usage_who_tag
from headgate.storage.tables import usage_record

LEAST_ERROR: Final = 400
"""From this status on the client got an error."""

WHO_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    Label.TENANT: usage_who.c.tenant_id,
    Label.API_KEY: usage_who.c.key_id,
    Label.USER: usage_who.c.user_name,
}
WHAT_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    Label.PROVIDER: usage_what.c.provider,
    Label.AI_SERVICE: usage_what.c.provider_kind,
    Label.MODEL: usage_what.c.model,
    Label.STATUS: usage_what.c.status,
    Label.OUTCOME: usage_what.c.outcome,
    Label.ENDPOINT: usage_what.c.endpoint,
    Label.CACHE: usage_what.c.cache_status,
    Label.CONFIG: usage_what.c.config,
    Label.PROMPT: usage_what.c.prompt,
}
_RECORD_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    Label.WORKSPACE: usage_record.c.workspace_id,
    Label.TENANT: usage_record.c.tenant_id,
    Label.API_KEY: usage_record.c.key_id,
    Label.PROVIDER: usage_record.c.provider,
    Label.AI_SERVICE: usage_record.c.provider_kind,
    Label.MODEL: usage_record.c.model,
    Label.STATUS: usage_record.c.status,
    Label.OUTCOME: usage_record.c.outcome,
    Label.ENDPOINT: usage_record.c.endpoint,
    Label.CACHE: usage_record.c.cache_status,
    Label.CONFIG: usage_record.c.config,
    Label.PROMPT: usage_record.c.prompt,
}


def of_cells(calls: Calls, kind: int, workspace_id: str, since_s: int, until_s: int) -> list[ColumnElement[bool]]:
    """Cells of one kind in one workspace: so they come in the order of their time."""
    cell = usage_cell.c
    found: list[ColumnElement[bool]] = [
        cell.workspace_id == workspace_id,
        cell.kind == kind,
        cell.bucket >= since_s,
        cell.bucket < until_s,
    ]
    if who := _who(calls):
        found.append(cell.who_id.in_(select(usage_who.c.id).where(*who)))
    for name, values in _tags(calls):
        tag = usage_who_tag.c
        tagged = select(tag.who_id).where(
            tag.organization_id == calls.organization_id, tag.name == name, tag.value.in_(values)
        )
        found.append(cell.who_id.in_(tagged))
    if what := _what(calls, usage_what, usage_what.c.rescued):
        found.append(
            cell.what_id.in_(
                select(usage_what.c.id).where(usage_what.c.organization_id == calls.organization_id, *what)
            )
        )
    return found


def of_records(calls: Calls, since: int, until: int) -> list[ColumnElement[bool]]:
    """Usage records."""
    record = usage_record.c
    found = owners_of_records(calls, since, until)
    found += [record.metadata[name].as_string().in_(values) for name, values in _tags(calls)]
    if calls.users:
        found.append(record.metadata[USER].as_string().in_(calls.users))
    found += _what(calls, usage_record, record.attempts > 1)
    if calls.request_ids:
        found.append(record.request_id.in_(calls.request_ids))
    if calls.trace_ids:
        found.append(record.trace_id.in_(calls.trace_ids))
    if calls.span_ids:  # the first is what the index needs to know
        found += [record.span_id != "", record.span_id.in_(calls.span_ids)]
    found += _between(record.cost, calls.cost)
    found += _between(record.input_tokens, calls.input_tokens)
    found += _between(record.output_tokens, calls.output_tokens)
    found += _between(record.input_tokens + record.output_tokens, calls.total_tokens)
    return found


def owners_of_records(calls: Calls, since: int, until: int) -> list[ColumnElement[bool]]:
    """Those conditions that an index serves."""
    record = usage_record.c
    found: list[ColumnElement[bool]] = [
        record.organization_id == calls.organization_id,
        record.started_at >= since,
        record.started_at < until,
    ]
    for column, values in (
        (record.workspace_id, calls.workspaces),
        (record.tenant_id, calls.tenants),
        (record.key_id, calls.keys),
    ):
        if values:
            found.append(column.in_(values))
    return found


def label_of_record(label: str) -> ColumnElement[Any]:
    """The column that it is in."""
    if label in _RECORD_COLUMNS:
        return _RECORD_COLUMNS[label]
    name = USER if label == Label.USER else label[len(METADATA) :]
    found: ColumnElement[Any] = usage_record.c.metadata[name].as_string()
    return found


def _tags(calls: Calls) -> list[tuple[str, tuple[str, ...]]]:
    """Names, and the values of which each has to be one."""
    each: list[tuple[str, tuple[str, ...]]] = [(name, (value,)) for name, value in calls.metadata]
    return each if calls.tagged is None else [*each, calls.tagged]


def _who(calls: Calls) -> list[ColumnElement[bool]]:
    who = usage_who.c
    pairs = ((who.tenant_id, calls.tenants), (who.key_id, calls.keys), (who.user_name, calls.users))
    found: list[ColumnElement[bool]] = [column.in_(values) for column, values in pairs if values]
    if found:
        found.append(who.organization_id == calls.organization_id)
        if calls.workspaces:
            found.append(who.workspace_id.in_(calls.workspaces))
    return found


def _what(calls: Calls, table: FromClause, rescued: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    column = table.c
    pairs: tuple[tuple[ColumnElement[Any], Sequence[object]], ...] = (
        (column.provider, calls.providers),
        (column.model, calls.models),
        (column.status, calls.statuses),
        (column.outcome, calls.outcomes),
        (column.cache_status, calls.cache_statuses),
        (column.config, calls.configs),
        (column.prompt, calls.prompts),
    )
    found: list[ColumnElement[bool]] = [each.in_(values) for each, values in pairs if values]
    if calls.services:
        found.append(or_(*(_service(table, kind, model) for kind, model in calls.services)))
    if calls.failed is not None:
        found.append(column.status >= LEAST_ERROR if calls.failed else column.status < LEAST_ERROR)
    if calls.rescued is not None:
        found.append(rescued if calls.rescued else ~rescued)
    return found


def _service(table: FromClause, kind: str, model: str) -> ColumnElement[bool]:
    same = table.c.provider_kind == kind
    return and_(same, table.c.model == model) if model else same


def _between(column: ColumnElement[Any], bounds: Between) -> list[ColumnElement[bool]]:
    if bounds == ANY:
        return []
    least, most = bounds
    found = [] if least is None else [column >= least]
    return found if most is None else [*found, column <= most]
