"""`headgate demo`: simulator and gateway at work on this machine."""

import sys
from typing import Annotated

import typer

from headgate.base.errors import Unavailable
from headgate.cli.options import Port


def demo(
    exit_: Annotated[
        bool, typer.Option("--exit", help="End when it has shown everything: with 1 if the books differ.")
    ] = False,
    port: Port = None,
) -> None:
    """Start simulator and gateway, set up customers, send calls of every format, and join the books."""
    from headgate.demo.client import Refused
    from headgate.demo.processes import NotReady
    from headgate.demo.run import run

    try:
        sys.exit(run(stay=not exit_, port=8787 if port is None else port))
    except (NotReady, Refused) as error:
        raise Unavailable(f"The demo cannot go on: {error}") from None
