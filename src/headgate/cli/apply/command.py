"""`headgate apply`: over HTTP, on a running server."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from headgate.base.errors import HeadgateError
from headgate.cli.options import Url


def apply(
    file: Annotated[Path | None, typer.Option("--file", "-f", help="What is to be there, as YAML.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show only. Exit code 0: nothing would change; 2: something would.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    keys_file: Annotated[
        Path | None,
        typer.Option(help="Where new keys and webhook secrets go, readable by you only. Without it they are printed."),
    ] = None,
    credentials: Annotated[
        bool, typer.Option("--credentials", help="Send all credentials again, even where they look the same.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what the file does not name, of the sections that it has.")
    ] = False,
    with_contents: Annotated[
        bool, typer.Option("--with-contents", help="With --prune: remove also what the removed things hold.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of the file, for editors, and do nothing else.")
    ] = False,
    url: Url = None,
) -> None:
    """Make everything as a file declares it. What the file does not name is left alone, unless it is pruned."""
    # Here, because the other commands do without what these need.
    from headgate.cli.apply.run import Run
    from headgate.cli.apply.schema import file_schema

    if schema:
        print(json.dumps(file_schema(), indent=2))
        return
    if file is None:
        raise typer.BadParameter("Which file? Name it.", param_hint="--file")
    run = Run.of(file, url, credentials=credentials, prune=prune, with_contents=with_contents)
    for line in run.told():
        print(line)
    if dry_run:
        raise typer.Exit(2 if run.steps else 0)
    if not run.steps:
        return
    if not yes and not _agreed():
        print("Nothing was changed.", file=sys.stderr)
        raise typer.Exit(1)
    run.carry_out(keys_file)
    print("Done.")


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise HeadgateError("Nobody is there to be asked. Say --yes to make these changes, or --dry-run to see them.")
    return typer.confirm("Make these changes?")
