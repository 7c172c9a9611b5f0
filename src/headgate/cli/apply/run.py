"""One run: the file, what is there, and the steps between them."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headgate.cli.administrator import Administrator
from headgate.cli.apply.carrying import carry_out
from headgate.cli.apply.errors import BadFile
from headgate.cli.apply.keys_file import keeping
from headgate.cli.apply.live import Live
from headgate.cli.apply.plan import plan
from headgate.cli.apply.platform import Declared, declared
from headgate.cli.apply.pruning import removals
from headgate.cli.apply.shown import told
from headgate.cli.apply.source import LARGEST, Source, parsed
from headgate.cli.apply.step import Step
from headgate.cli.options import settings_from


@dataclass(frozen=True, slots=True)
class Run:
    """Nothing is changed before `carry_out`."""

    objects: Sequence[Declared]
    steps: Sequence[Step]
    _administrator: Administrator
    _live: Live

    @classmethod
    def of(cls, file: Path, url: str | None, *, credentials: bool, prune: bool, with_contents: bool) -> "Run":
        """With `prune` what the file does not name is removed, `with_contents` also what that holds. Raises `BadFile`
        naming the line, and what the server says."""
        source = _read(file)
        objects = declared(source, os.environ)
        administrator = Administrator(settings_from(url=url))
        live = Live(administrator)
        steps = plan(objects, live, credentials=credentials)
        if prune:
            steps += removals(objects, source, live, with_contents=with_contents)
        return cls(objects, steps, administrator, live)

    def told(self) -> Iterator[str]:
        return told(self.steps, len(self.objects))

    def carry_out(self, keys_file: Path | None) -> None:
        """Raises `BadFile` for a keys file that others may read, before anything is changed."""
        with keeping(keys_file) as keep:
            carry_out(self.steps, self._administrator, self._live.names, keep)


def _read(file: Path) -> Source:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror}.") from None
    if len(content) > LARGEST:
        raise BadFile(f"{file} is larger than {LARGEST:,} bytes.")
    try:
        return parsed(content.decode())
    except UnicodeDecodeError:
        raise BadFile(f"{file} is no UTF-8 text.") from None
