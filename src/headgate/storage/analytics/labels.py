"""Who calls and what is called: each set of labels has a number, given when it is first seen.

Metadata is part of who calls. A name with very many values (an id that is new for each call) would make every call a
set of its own: beyond `MOST_VALUES` it is left out from then on, and questions about it go to the records.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Table, insert, select, tuple_

from headgate.storage.analytics_tables import usage_tag_name, usage_what, usage_who, usage_who_tag

MOST_VALUES: Final = 100_000
"""Of one metadata name, in one organization."""
USER: Final = "_user"
"""The metadata name that says on whose behalf a call is made."""
_MOST_KNOWN: Final = 100_000
_AT_ONCE: Final = 200
_decode: Final = msgspec.json.Decoder(dict[str, str]).decode
_encode: Final = msgspec.json.Encoder(order="sorted").encode

Numbers = tuple[int, int]
"""Of who and of what."""
Row = dict[str, Any]


class Labels(NamedTuple):
    """What the calls of one cell have in common besides the time. Named as in the usage record; `metadata` is JSON."""

    organization_id: str
    workspace_id: str
    tenant_id: str | None
    key_id: str
    integration_id: str
    provider: str
    provider_kind: str
    endpoint: str
    model: str
    outcome: str
    status: int
    attempts: int
    cache_status: str
    config: str
    prompt: str
    metadata: str


class LabelNumbers:
    """Gives the numbers. Belongs to one writer: one transaction at a time, and no other gives any meanwhile.

    Only what was found in the database is remembered, never what was just put there: that transaction may be undone.
    """

    def __init__(self, most_values: int = MOST_VALUES) -> None:
        self._most_values = most_values
        self._known: dict[tuple[Any, ...], Numbers] = {}

    def of(self, connection: Connection, wanted: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], Numbers]:
        """`wanted` are the fields of `Labels`, in their order."""
        numbers: dict[tuple[Any, ...], Numbers] = {}
        missing = []
        for labels in wanted:
            if (found := self._known.get(labels)) is None:
                missing.append(Labels(*labels))
            else:
                numbers[labels] = found
        for start in range(0, len(missing), _AT_ONCE):
            numbers.update(self._give(connection, missing[start : start + _AT_ONCE]))
        return numbers

    def _give(self, connection: Connection, missing: Sequence[Labels]) -> dict[tuple[Any, ...], Numbers]:
        wide = _wide_names(connection, {labels.organization_id for labels in missing})
        who_rows, what_rows, tags, whole = [], [], {}, []
        for labels in missing:
            metadata = _decode(labels.metadata)
            kept = {name: text for name, text in metadata.items() if (labels.organization_id, name) not in wide}
            who_rows.append(row := _who(labels, kept))
            what_rows.append(_what(labels))
            tags[row["digest"]] = kept
            whole.append(len(kept) == len(metadata))
        old_who, new_who = _numbered(connection, usage_who, who_rows)
        old_what, new_what = _numbered(connection, usage_what, what_rows)
        self._tag(connection, [row for row in who_rows if row["digest"] in new_who], tags, new_who)
        who, what = old_who | new_who, old_what | new_what
        numbers = {}
        for labels, who_row, what_row, complete in zip(missing, who_rows, what_rows, whole, strict=True):
            digests = who_row["digest"], what_row["digest"]
            numbers[tuple(labels)] = both = who[digests[0]], what[digests[1]]
            if complete and digests[0] in old_who and digests[1] in old_what:
                self._remember(tuple(labels), both)
        return numbers

    def _remember(self, labels: tuple[Any, ...], numbers: Numbers) -> None:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[labels] = numbers

    def _tag(
        self,
        connection: Connection,
        new: Sequence[Row],
        tags: Mapping[str, Mapping[str, str]],
        numbers: Mapping[str, int],
    ) -> None:
        rows = {
            (numbers[row["digest"]], name): {
                "who_id": numbers[row["digest"]],
                "name": name,
                "value": text,
                "organization_id": row["organization_id"],
            }
            for row in new
            for name, text in tags[row["digest"]].items()
        }
        if rows:
            _count_values(connection, list(rows.values()), self._most_values)
            connection.execute(insert(usage_who_tag), list(rows.values()))


def wide_names(connection: Connection, organization_id: str) -> set[str]:
    """The metadata names whose values are no longer told apart."""
    return {name for _, name in _wide_names(connection, {organization_id})}


def _wide_names(connection: Connection, organizations: Iterable[str]) -> set[tuple[str, str]]:
    statement = select(usage_tag_name.c.organization_id, usage_tag_name.c.name).where(
        usage_tag_name.c.organization_id.in_(organizations), usage_tag_name.c.wide
    )
    return {(organization_id, name) for organization_id, name in connection.execute(statement)}


def _who(labels: Labels, metadata: Mapping[str, str]) -> Row:
    row: Row = {
        "organization_id": labels.organization_id,
        "workspace_id": labels.workspace_id,
        "tenant_id": labels.tenant_id or "",
        "key_id": labels.key_id,
        "user_name": metadata.get(USER, ""),
    }
    return {"digest": _digest([*row.values(), metadata]), **row}


def _what(labels: Labels) -> Row:
    row: Row = {
        "organization_id": labels.organization_id,
        "workspace_id": labels.workspace_id,
        "integration_id": labels.integration_id,
        "provider": labels.provider,
        "provider_kind": labels.provider_kind,
        "model": labels.model,
        "endpoint": labels.endpoint,
        "status": labels.status,
        "outcome": labels.outcome,
        "rescued": labels.attempts > 1,
        "cache_status": labels.cache_status,
        "config": labels.config,
        "prompt": labels.prompt,
    }
    return {"digest": _digest(list(row.values())), **row}


def _digest(labels: Sequence[object]) -> str:
    return blake2b(_encode(labels), digest_size=16).hexdigest()


def _numbered(connection: Connection, table: Table, rows: Iterable[Row]) -> tuple[dict[str, int], dict[str, int]]:
    """By digest: the numbers that were there, and those that are new."""
    wanted = {row["digest"]: row for row in rows}

    def numbers(digests: Iterable[str]) -> dict[str, int]:
        statement = select(table.c.digest, table.c.id).where(table.c.digest.in_(digests))
        return {row.digest: row.id for row in connection.execute(statement)}

    old = numbers(wanted)
    missing = [row for digest, row in wanted.items() if digest not in old]
    if not missing:
        return old, {}
    connection.execute(insert(table), missing)
    return old, numbers([row["digest"] for row in missing])


def _count_values(connection: Connection, tags: Sequence[Row], most: int) -> None:
    """How many different values each name has; one with more than `most` is wide from here on."""
    columns = (usage_who_tag.c.organization_id, usage_who_tag.c.name, usage_who_tag.c.value)
    values = {(tag["organization_id"], tag["name"], tag["value"]) for tag in tags}
    there = set(map(tuple, connection.execute(select(*columns).distinct().where(tuple_(*columns).in_(values)))))
    added = Counter((organization_id, name) for organization_id, name, _ in values - there)
    if not added:
        return
    key = (usage_tag_name.c.organization_id, usage_tag_name.c.name)
    known = {
        (organization_id, name): count
        for organization_id, name, count in connection.execute(
            select(*key, usage_tag_name.c.distinct_values).where(tuple_(*key).in_(added))
        )
    }
    for (organization_id, name), count in added.items():
        count += known.get((organization_id, name), 0)
        row = {"distinct_values": count, "wide": count > most}
        if (organization_id, name) in known:
            matches = (key[0] == organization_id, key[1] == name)
            connection.execute(usage_tag_name.update().where(*matches).values(row))
        else:
            named = {"organization_id": organization_id, "name": name}
            connection.execute(insert(usage_tag_name).values(named | row))
