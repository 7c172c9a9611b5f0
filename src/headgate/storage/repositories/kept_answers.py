"""Answers that are given again, in the table `idempotency_key`."""

from typing import Any, Final

from sqlalchemy import Connection, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from headgate.ledger.record import HIT, Outcome
from headgate.storage.people_tables import idempotency_key as table
from headgate.storage.repositories import rows
from headgate.storage.tables import usage_record
from headgate.tenancy.kept_answer import KeptAnswer

MOST_RECORDS: Final = 200
"""Of one call: each target of a config that may have been billed has one, numbered from the second."""


class SqlKeptAnswers:
    """A `tenancy.people_stores.AnswerStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, answer: KeptAnswer) -> bool:
        # Two may claim at the same moment: the second waits for the first, and finds it there.
        dialect = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(table).values(**rows.row_of(answer)).on_conflict_do_nothing()
        return self._connection.execute(statement).rowcount == 1

    def get(self, organization_id: str, actor: str, key_hash: bytes) -> KeptAnswer | None:
        at = table.c
        same = (at.organization_id == organization_id, at.actor == actor, at.key_hash == key_hash)
        row = rows.one(self._connection, table, *same)
        return rows.noun_of(KeptAnswer, row) if row else None

    def claim_again(self, before: KeptAnswer, answer: KeptAnswer) -> bool:
        same = and_(_same(before), table.c.created_at == before.created_at, ~table.c.carried_out)
        return self._connection.execute(update(table).where(same).values(**rows.row_of(answer))).rowcount == 1

    def carried_out(self, answer: KeptAnswer) -> None:
        self._connection.execute(update(table).where(_same(answer)).values(carried_out=True))

    def update(self, answer: KeptAnswer) -> None:
        self._connection.execute(update(table).where(_same(answer)).values(**rows.row_of(answer)))

    def release(self, answer: KeptAnswer) -> None:
        self._connection.execute(delete(table).where(_same(answer), ~table.c.carried_out))

    def prune(self, now: int) -> None:
        self._connection.execute(delete(table).where(table.c.expires_at <= now))

    def charged(self, request_id: str) -> bool:
        at = usage_record.c
        ids = [request_id, *(f"{request_id}-{number}" for number in range(2, MOST_RECORDS + 1))]
        paid = and_(at.outcome != Outcome.PROVIDER_ERROR, at.cache_status != HIT)
        statement = select(at.request_id).where(at.request_id.in_(ids), paid).limit(1)
        return self._connection.execute(statement).first() is not None

    def unanswered(self) -> list[KeptAnswer]:
        at = table.c
        statement = select(table).where(at.request_id.is_not(None), at.sealed_body.is_(None), ~at.carried_out)
        return [rows.noun_of(KeptAnswer, row) for row in self._connection.execute(statement).mappings()]

    def kept(self, organization_id: str) -> list[KeptAnswer]:
        statement = select(table).where(table.c.organization_id == organization_id, table.c.sealed_body.is_not(None))
        return [rows.noun_of(KeptAnswer, row) for row in self._connection.execute(statement).mappings()]


def _same(answer: KeptAnswer) -> Any:
    at = table.c
    whose = and_(at.organization_id == answer.organization_id, at.actor == answer.actor)
    return and_(whose, at.key_hash == answer.key_hash)
