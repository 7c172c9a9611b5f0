"""Command-line options that several commands share. Their help is the settings' own documentation."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from headgate.settings import SETTINGS, Settings, load

_DOC = {setting.name: setting.told.doc for setting in SETTINGS}


def _flag(name: str, **more: Any) -> Any:
    return typer.Option(f"--{name.replace('_', '-')}", help=_DOC[name], show_default=False, **more)


Config = Annotated[Path | None, _flag("config")]
DataDir = Annotated[Path | None, _flag("data_dir")]
Host = Annotated[str | None, _flag("host")]
Port = Annotated[int | None, _flag("port")]
Workers = Annotated[int | None, _flag("workers")]
Url = Annotated[str | None, _flag("url")]
AdoptKeys = Annotated[
    bool | None, typer.Option("--adopt-keys/--no-adopt-keys", help=_DOC["adopt_keys"], show_default=False)
]


def settings_from(**flags: object) -> Settings:
    """The settings of this command. Raises `BadSetting`."""
    return load(os.environ, flags)
