"""What other processes change, on its way into this one's memory."""

from contextlib import AsyncExitStack

from headgate.base.errors import Unavailable
from headgate.bootstrap.books import BookKeeping
from headgate.bootstrap.report import report
from headgate.dataplane.answer_purges import AnswerPurges
from headgate.settings import Settings
from headgate.storage.database import Database
from headgate.storage.notices import Notices
from headgate.tenancy.administration import Administration
from headgate.tenancy.directory import Directory
from headgate.tenancy.following import Follower, Following


def follow(
    settings: Settings,
    database: Database,
    directory: Directory,
    purges: AnswerPurges,
    administration: Administration,
    kept: BookKeeping,
    closing: AsyncExitStack,
) -> None:
    """Runs until `closing`."""
    transactions, clock = administration.transactions, administration.clock

    async def version() -> int:
        return await transactions.read(lambda stores: stores.version())

    async def count_anew(_: int) -> None:
        """A limit that is new counts calls that are under way here, though no other call of theirs may come here."""
        try:
            await directory.reload(kept.restoring.ledger.callers())
        except Unavailable as error:
            report("new limits", error)

    followers: list[Follower] = [directory.follow, purges.follow]
    if kept.sharing is not None:
        followers.append(count_anew)
    following = Following(version, followers, directory.contact, clock, report)
    closing.push_async_callback(following.close)
    following.start()
    if settings.database_url is not None and not settings.database_pooler:
        from headgate.storage.postgres import PostgresDatabase

        assert isinstance(database, PostgresDatabase)
        notices = Notices(database, following.wake, report)
        closing.push_async_callback(notices.close)
        notices.start()
