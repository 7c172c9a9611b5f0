"""The processes that share allowances, from outside: who may hold something, and giving up one whose disk is gone."""

from headgate.base.clock import SystemClock
from headgate.base.errors import InvalidRequest
from headgate.ledger.borrowed import BorrowedShares
from headgate.process.look import opened
from headgate.settings import Settings
from headgate.storage import migrate as migrations
from headgate.storage.processes import Process, Processes


async def processes(settings: Settings) -> list[Process]:
    """In the order in which they started. Raises `Conflict` for another version's schema."""
    async with opened(settings) as database:
        await migrations.require_newest(database)
        return await Processes(database).all()


async def forget_process(settings: Settings, process_id: str) -> Process:
    """Nobody waits for it any more; and what it had borrowed can be lent anew, unless others are missing: then once
    they are back, or were forgotten too. Raises `NotFound`, `Conflict` for one that may be alive, and `Unavailable`;
    then it is to be done again."""
    if settings.redis_url is None:
        raise InvalidRequest("This installation has no redis_url: there is one process, and it borrows nothing.")
    from headgate.storage.shares.address import RedisAddress
    from headgate.storage.shares.authority import Authority
    from headgate.storage.shares.connection import connect
    from headgate.storage.shares.generations import Generations
    from headgate.storage.shares.membership import let_go

    async def nothing_to_write() -> None:
        """This process decides nothing."""

    clock = SystemClock()
    authority = Authority(connect(RedisAddress.parse(settings.redis_url)), clock)
    try:
        async with opened(settings) as database:
            await migrations.require_newest(database)
            known = Processes(database)
            found = await known.dead(process_id)
            generations = Generations("nobody", BorrowedShares(), authority, known.members, nothing_to_write, clock)
            others = [each for each in await known.all() if each.id != found.id]
            if all(each.alive or each.succeeded for each in others):
                await let_go(known, generations, [found.id])
            else:
                await known.remove([found.id])
            return found
    finally:
        await authority.close()
