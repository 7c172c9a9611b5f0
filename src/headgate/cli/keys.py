"""`headgate keys`: making keys, and rotating the one that everything is encrypted under."""

import asyncio
import os
import sys
from typing import Annotated

import typer

from headgate.cli.options import Config, DataDir, settings_from
from headgate.tenancy import keys
from headgate.tenancy.vault import MasterKey

app = typer.Typer(no_args_is_help=True, help="Keys that the operator makes: master keys and preset admin keys.")


@app.command("new-admin")
def new_admin() -> None:
    """Print a new admin key, to preset as HEADGATE_ADMIN_KEY before the first start."""
    print(keys.mint(b"").text)


@app.command("replace-admin")
def replace_admin(
    organization: Annotated[
        str | None, typer.Option(help="The id of the organization, where there are several.")
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make another admin key where the admin keys are lost, and print it: this once and never again.

    With SQLite the server must be stopped. The keys before it stay good: revoke those that somebody else may have.
    """
    from headgate.process.admin_key import replace_admin_key

    of, text = asyncio.run(replace_admin_key(settings_from(data_dir=data_dir, config=config), organization))
    print(f"A new admin key of {of.name} ({of.id}):", file=sys.stderr)
    print(text)


@app.command("new-master")
def new_master() -> None:
    """Print a new master key, for HEADGATE_MASTER_KEY."""
    print(MasterKey.generate(os.urandom).to_text())


@app.command("rotate-master")
def rotate_master(data_dir: DataDir = None, config: Config = None) -> None:
    """Encrypt everything under a new master key. The server must be stopped; a crash at any moment loses nothing."""
    from headgate.process.rotation import rotate

    done = asyncio.run(rotate(settings_from(data_dir=data_dir, config=config)))
    if done.resumed:
        print("An interrupted rotation was finished.")
    print(f"{done.resealed} secrets are now under master key {done.current.id.hex()}.")
    if done.in_variable:
        print("The keys behind the first one can leave HEADGATE_MASTER_KEY.")
