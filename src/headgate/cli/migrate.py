"""`headgate migrate`: bring the database to this version's schema, before the server does so at its start."""

import asyncio

from headgate.cli.options import Config, DataDir, settings_from


def migrate(data_dir: DataDir = None, config: Config = None) -> None:
    """Bring the database to the schema of this version. With SQLite the server must be stopped."""
    from headgate.process.look import migrate as run

    before, after = asyncio.run(run(settings_from(data_dir=data_dir, config=config)))
    print(
        f"The schema was at {before or 'nothing'} and is at {after}."
        if before != after
        else f"The schema is at {after}."
    )
