"""The command line, run as a shell would run it."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = Path(sys.executable).with_name("headgate")


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any setting or provider key, with what the test adds."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("HEADGATE_") and "API_KEY" not in name
    }
    return {**kept, **(more or {})}


async def headgate(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None, stdin: str = "") -> Ran:
    """Run `headgate ARGUMENTS...` in a directory and wait for its end."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        cwd=cwd,
        env=environment(env),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())
