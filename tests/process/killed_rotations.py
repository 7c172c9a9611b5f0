"""A program: rotates the master key of a copy of a data directory, and is killed at one step; then at the next one.

    python killed_rotations.py DATA_DIR      makes DATA_DIR-0, DATA_DIR-1 ... and prints how many

It forks before it has any thread, so that all of them cost one start of the interpreter.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headgate.process import rotation
from headgate.settings import Settings
from headgate.storage import pepper


def rotate_and_die(data_dir: Path, at_step: int) -> None:
    """Every effect has a step before and after it; within the transaction there are two more."""
    steps = 0

    def step() -> None:
        nonlocal steps
        if steps == at_step:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    def surrounded(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            step()
            result = function(*arguments)
            step()
            return result

        return call

    def surrounded_transaction(transact: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*arguments: Any) -> Any:
            step()
            result = await transact(*arguments)
            step()
            return result

        return call

    os.replace = surrounded(os.replace)
    setattr(rotation, "reseal_pepper", surrounded(pepper.reseal_pepper))  # noqa: B010 - the name in that module
    setattr(rotation, "_reseal", surrounded_transaction(rotation._reseal))  # noqa: B010
    asyncio.run(rotation.rotate(Settings(data_dir=data_dir)))


def main(data_dir: Path) -> int:
    at_step = 0
    while True:
        copy = data_dir.with_name(f"{data_dir.name}-{at_step}")
        shutil.copytree(data_dir, copy)
        child = os.fork()
        if child == 0:
            rotate_and_die(copy, at_step)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            shutil.rmtree(copy)
            return at_step
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        at_step += 1


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
