"""Answers to be forgotten, in the table `answer_purge`."""

from sqlalchemy import Connection, select

from headgate.storage.answer_tables import answer_purge as table
from headgate.storage.repositories import rows
from headgate.tenancy.answer_purge import AnswerPurge


class SqlAnswerPurges:
    """A `tenancy.stores.AnswerPurgeStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, purge: AnswerPurge) -> None:
        rows.add(self._connection, table, rows.row_of(purge))

    def after(self, version: int) -> list[AnswerPurge]:
        statement = select(table).where(table.c.version > version).order_by(table.c.version, table.c.id)
        return [rows.noun_of(AnswerPurge, row) for row in self._connection.execute(statement).mappings()]
