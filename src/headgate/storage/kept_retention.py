"""What lives at a provider is forgotten here once it is gone there, some hundreds of rows at a time."""

from typing import Final

from sqlalchemy import Connection, delete, select, tuple_

from headgate.storage.batch_tables import OPEN, batch
from headgate.storage.kept_tables import kept_object

AT_ONCE: Final = 500


def remove_responses(connection: Connection, before: int) -> int:
    """Those that were made earlier, and messages and containers; how many."""
    return sum(_remove_kept(connection, kind, before) for kind in ("response", "message", "container"))


def remove_batches(connection: Connection, before: int) -> int:
    """Those that were made earlier, with what was charged for them; how many rows."""
    charged = select(batch.c.id, batch.c.integration_id).where(batch.c.status != OPEN, batch.c.started_at < before)
    of_some = tuple_(batch.c.id, batch.c.integration_id).in_(charged.limit(AT_ONCE))
    return connection.execute(delete(batch).where(of_some)).rowcount + _remove_kept(connection, "batch", before)


def _remove_kept(connection: Connection, kind: str, before: int) -> int:
    names = kept_object.c.id, kept_object.c.integration_id
    old = select(*names).where(kept_object.c.kind == kind, kept_object.c.created_at < before).limit(AT_ONCE)
    return connection.execute(delete(kept_object).where(tuple_(*names).in_(old))).rowcount
