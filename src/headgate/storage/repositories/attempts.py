"""Failed attempts to sign in."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select, text

from headgate.storage.sign_in_tables import sign_in_attempt as table


class SqlAttempts:
    """A `tenancy.sign_in_stores.AttemptStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def recent(self, subjects: Sequence[str], since: int) -> Mapping[str, Sequence[int]]:
        found = {}
        for subject in sorted(subjects):  # in one order, so that no two wait for each other
            if self._connection.dialect.name == "postgresql":
                key = int(subject[:15], 16)
                self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            statement = select(table.c.at).where(table.c.subject == subject, table.c.at > since).order_by(table.c.at)
            found[subject] = self._connection.execute(statement).scalars().all()
        return found

    def add(self, attempt: str, subjects: Sequence[str], at: int) -> None:
        if subjects:
            rows = [{"attempt": attempt, "subject": subject, "at": at} for subject in subjects]
            self._connection.execute(insert(table), rows)

    def take_back(self, attempt: str) -> None:
        self._connection.execute(delete(table).where(table.c.attempt == attempt))

    def forgive(self, subject: str) -> None:
        self._connection.execute(delete(table).where(table.c.subject == subject))

    def prune(self, until: int) -> None:
        self._connection.execute(delete(table).where(table.c.at <= until))
