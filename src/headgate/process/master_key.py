"""Where the master keys are: in `HEADGATE_MASTER_KEY`, or in the file `master.key` of the data directory.

Either way the first is the current one; those behind it may only open what they once sealed. The file has one key a
line, the variable a comma between them.
"""

import os
import stat
from pathlib import Path

from headgate.process.data_dir import write_durably
from headgate.settings import Settings
from headgate.tenancy.vault import BadMasterKey, MasterKey

MASTER_KEY_FILE = "master.key"


def load_master_keys(settings: Settings) -> tuple[MasterKey, ...]:
    """The keys, the current one first. A file is created where there is none. Raises `BadMasterKey`, naming the place.

    The data directory must exist and be locked by the caller: two first starts must not make two keys.
    """
    if settings.master_key is not None:
        return _parse(settings.master_key.split(","), "HEADGATE_MASTER_KEY")
    path = settings.data_dir / MASTER_KEY_FILE
    if not path.exists():
        save_master_keys(settings.data_dir, (MasterKey.generate(),))
    return read_master_keys(settings)


def read_master_keys(settings: Settings) -> tuple[MasterKey, ...]:
    """The keys that are there already, for commands that only look. Raises `BadMasterKey`, naming the place."""
    if settings.master_key is not None:
        return _parse(settings.master_key.split(","), "HEADGATE_MASTER_KEY")
    path = settings.data_dir / MASTER_KEY_FILE
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise BadMasterKey(
                    f"The master key file `{path}` can be read by others (mode {mode:04o}). Run: chmod 600 {path}"
                )
            return _parse(file.read().splitlines(), f"The master key file `{path}`")
    except (OSError, UnicodeDecodeError) as error:
        raise BadMasterKey(f"The master key file `{path}` cannot be read: {error}.") from None


def save_master_keys(data_dir: Path, keys: tuple[MasterKey, ...]) -> None:
    """Replace the file as a whole, on disk when this returns."""
    write_durably(data_dir / MASTER_KEY_FILE, "".join(f"{key.to_text()}\n" for key in keys).encode())


def _parse(texts: list[str], place: str) -> tuple[MasterKey, ...]:
    try:
        keys = tuple(MasterKey.from_text(text) for text in texts)
    except BadMasterKey as error:
        raise BadMasterKey(f"{place}: {error.message} `headgate keys new-master` prints a well-formed one.") from None
    if not keys:
        raise BadMasterKey(f"{place} is empty. Restore it: without it the stored credentials cannot be opened.")
    return keys
