"""Purges that this process and others make: each is carried out once here, by whoever hears of it first."""

from headgate.dataplane.answer_cache import AnswerCache, Scope
from headgate.dataplane.answer_purges import AnswerPurges
from headgate.storage.database import Database
from headgate.storage.stores import SqlTransactions
from headgate.tenancy.answer_purge import AnswerPurge
from tests.support.databases import database, database_url, empty_database
from tests.support.ledger import ManualClock
from tests.support.services import postgres_url

__all__ = ["database", "database_url", "empty_database", "postgres_url"]

ACME = Scope("org", "ws", "acme")
MADE = AnswerPurge(id="prg_1", version=1, at=0, organization_id="org", workspace_id=None, tenant_id="acme")


class Asked:
    """A process with a purge to hear of, and an answer of ACME's in its memory."""

    def __init__(self, database: Database) -> None:
        self.transactions = SqlTransactions(database)
        self.answers = AnswerCache(ManualClock(), 64 * 1024)
        self.purges = AnswerPurges(self.answers, self.transactions, ManualClock())

    async def begin(self) -> None:
        await self.purges.follow(0)
        await self.transactions.write(lambda stores: stores.answer_purges.add(MADE))
        self.keep(b"before")

    def keep(self, name: bytes) -> None:
        self.answers.put(name, ACME, b"body", max_age_s=60)


async def test_what_is_kept_after_a_purge_of_this_process_stays(database: Database) -> None:
    """Although it hears of its own purge a moment later."""
    asked = Asked(database)
    await asked.begin()
    assert asked.purges.carry_out(MADE) == 1
    asked.keep(b"after")
    await asked.purges.follow(1)
    assert asked.answers.get(b"after", 60) == b"body"


async def test_how_many_went_is_known_though_it_was_heard_of_first(database: Database) -> None:
    """Between the change and the word of it to whoever asked for it."""
    asked = Asked(database)
    await asked.begin()
    await asked.purges.follow(1)
    asked.keep(b"after")
    assert asked.purges.carry_out(MADE) == 1
    assert asked.answers.get(b"after", 60) == b"body"
