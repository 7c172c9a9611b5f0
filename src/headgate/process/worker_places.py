"""Where each of several workers keeps its journal, and what becomes of those of workers that are no more."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from headgate.bootstrap import open_gateway
from headgate.settings import Settings
from headgate.tenancy.vault import Vault

log = structlog.get_logger("headgate.process")

_PREFIX: Final = "worker-"


def place_of(settings: Settings, number: int) -> Settings:
    """What a worker runs with. The first has the data directory itself, as a process that is alone has it; each other
    one a directory in it. So a worker finds what the one before it left, however many there are."""
    if number == 1:
        return settings
    data_dir = settings.data_dir / f"{_PREFIX}{number}"
    data_dir.mkdir(mode=0o700, exist_ok=True)
    return replace(settings, data_dir=data_dir)


async def settle_left_behind(settings: Settings, vault: Vault) -> None:
    """What workers left that there are no longer: each call of theirs gets its record, and what they had of shared
    allowances goes back. Raises `HeadgateError`; then all is as it was."""
    for directory in _left_behind(settings):
        log.info("settling what a former worker left", directory=directory.name)
        gateway = await open_gateway(replace(settings, data_dir=directory), vault)
        await gateway.close()
        shutil.rmtree(directory)


def _left_behind(settings: Settings) -> list[Path]:
    numbers = {directory: directory.name.removeprefix(_PREFIX) for directory in settings.data_dir.glob(f"{_PREFIX}*")}
    return sorted(
        directory for directory, number in numbers.items() if number.isdecimal() and int(number) > settings.workers
    )
