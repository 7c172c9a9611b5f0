"""The books added up again in a process of its own, which tells how far it is: a running server has it done beside it,
so that no call waits for the sums.

It is given `data_dir`, `database_url` and `database_pooler` as JSON on its standard input, and writes lines of JSON:
`records` and `of` while it adds up, and all that it found, or `failure`, at the end.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.base.tasks import Tasks
from headgate.process.verify import verify
from headgate.settings import Settings
from headgate.storage.verification import Findings

EVERY_S: Final = 0.25
MOST_DIFFERENCES: Final = 100
NICE: Final = 10
"""The server beside it goes first."""


async def tell(settings: Settings) -> None:
    """To the standard output."""
    found = Findings()
    tasks = Tasks(lambda what, error: None)
    adding = tasks.start(verify(settings, found), "verify")
    while not (await asyncio.wait({adding}, timeout=EVERY_S))[0]:
        _say({"records": found.records, "of": found.of})
    try:
        await adding
    except HeadgateError as error:
        return _say({"failure": error.message})
    return _say(
        {
            "records": found.records,
            "of": found.of,
            "allowances": found.allowances,
            "unfinished": found.unfinished,
            "differences": found.differences[:MOST_DIFFERENCES],
            "more_differences": max(len(found.differences) - MOST_DIFFERENCES, 0),
            "ended": True,
        }
    )


def _say(found: dict[str, Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    os.nice(NICE)
    asked = msgspec.json.decode(sys.stdin.buffer.read())
    asyncio.run(tell(Settings(**{**asked, "data_dir": Path(asked["data_dir"])})))


if __name__ == "__main__":
    main()
