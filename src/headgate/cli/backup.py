"""`headgate backup` and `headgate restore`: the data directory, copied beside the running server, and made again."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from headgate.cli.options import Config, DataDir, settings_from

_To = Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Where it goes: empty, or not there yet.")]
_From = Annotated[Path, typer.Argument(metavar="DIRECTORY", help="A backup that `headgate backup` made.")]


def backup(directory: _To, data_dir: DataDir = None, config: Config = None) -> None:
    """Copy the journal and the SQLite database, while the server runs or not. The master key is not copied.

    With PostgreSQL only the journal is copied: run `pg_dump` afterwards.
    """
    from headgate.process.backup import back_up

    settings = settings_from(data_dir=data_dir, config=config)
    made = back_up(settings, directory)
    size = sum(file.bytes for file in made.files)
    print(f"{len(made.files)} files of {size} bytes in {directory}, with their checksums in manifest.json.")
    if made.has_database:
        print(f"The master key {made.master_key} is not among them. Without it a backup opens no credential and no API")
        print("key: keep a copy of it, in a place of its own.")
    else:
        print("That is the journal. Back up PostgreSQL now, after it: pg_dump.")


def restore(directory: _From, data_dir: DataDir = None, config: Config = None) -> None:
    """Make a data directory of a backup, in a place that is empty or has the master key only.

    Every file is compared with its checksum first. Nothing is written over.
    """
    from headgate.process.restore import has_key
    from headgate.process.restore import restore as run

    settings = settings_from(data_dir=data_dir, config=config)
    made = run(settings, directory)
    print(f"{settings.data_dir} is as it was on {made.made_at}. What has happened since then is not in it.")
    if made.master_key is not None and not has_key(settings):
        print(
            f"warning: there is no master key here. Before the first start, put {made.master_key} into "
            f"{settings.data_dir / 'master.key'} (mode 0600), or into HEADGATE_MASTER_KEY.",
            file=sys.stderr,
        )
