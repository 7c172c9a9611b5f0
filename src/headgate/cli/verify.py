"""`headgate verify`: every balance, added up again from the usage records."""

import asyncio
import sys

from headgate.cli.options import Config, DataDir, settings_from
from headgate.cli.table import print_table


def verify(data_dir: DataDir = None, config: Config = None) -> None:
    """Add up every balance from the usage records and compare it with what the ledger and the journal keep.

    Changes nothing and may run beside the server. Exit code 1 if anything differs.
    """
    from headgate.process.verify import verify as run

    found = asyncio.run(run(settings_from(data_dir=data_dir, config=config)))
    rows = [
        ("usage records", found.records),
        ("allowances", found.allowances),
        ("balances kept", found.balances),
        ("settled in the journal", found.journalled),
        ("not in the database yet", found.waiting),
        ("unfinished calls", found.unfinished),
        ("differences", len(found.differences)),
    ]
    print_table(("CHECKED", "COUNT"), [(name, str(count)) for name, count in rows])
    for difference in found.differences:
        print(f"difference: {difference}")
    if found.differences:
        sys.exit(1)
