"""Reading the settings from all their sources: later ones win.

    defaults < headgate.toml < HEADGATE_* < command-line flags

A name that is not known is refused: a misspelt limit that is silently ignored would be no limit.
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from headgate.settings.declared import SETTINGS, Settings
from headgate.settings.setting import ENV_PREFIX, BadSetting, Setting

CONFIG_FILE: Final = Path("headgate.toml")

_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
_BY_ENV: Final = {setting.env: setting for setting in SETTINGS}


def load(environ: Mapping[str, str], flags: Mapping[str, object] | None = None) -> Settings:
    """The settings of this process. `flags` are by setting name; None means not given. Raises `BadSetting`."""
    from_flags = {
        name: _BY_NAME[name].read(raw, "--" + name.replace("_", "-"))
        for name, raw in (flags or {}).items()
        if raw is not None
    }
    overrides = _from_environment(environ) | from_flags
    settings = Settings(**(_from_file(overrides.get("config")) | overrides))
    if settings.workers > 1 and settings.redis_url is None:
        raise BadSetting(
            f"workers: {settings.workers} processes need redis_url: without it each would decide alone, and every "
            f"budget and rate limit could be spent {settings.workers} times.",
            param="workers",
        )
    if settings.country_header is not None and settings.trusted_proxies is None:
        raise BadSetting(
            "country_header: any client could send it; name the proxies that do in trusted_proxies.",
            param="country_header",
        )
    if (settings.oidc_issuer is None) != (settings.oidc_client_id is None):
        missing = "oidc_issuer" if settings.oidc_issuer is None else "oidc_client_id"
        raise BadSetting(f"{missing}: single sign-on needs both oidc_issuer and oidc_client_id.", param=missing)
    return settings


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for variable, text in environ.items():
        if variable.startswith(ENV_PREFIX):
            setting = _known(variable, _BY_ENV, "environment")
            found[setting.name] = setting.read(text, variable)
    return found


def _from_file(config: Path | None) -> dict[str, Any]:
    path = config or CONFIG_FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if config is None:
            return {}
        raise BadSetting(f"config: there is no file `{config}`.", param="config") from None
    except (OSError, ValueError) as error:
        raise BadSetting(f"config: `{path}` cannot be read: {error}.", param="config") from None
    if "config" in table:
        raise BadSetting(f"{path}: a configuration file cannot name another one.", param="config")
    return {name: _known(name, _BY_NAME, str(path)).read(raw, f"{path}, {name}") for name, raw in table.items()}


def _known(name: str, among: Mapping[str, Setting], source: str) -> Setting:
    if (setting := among.get(name)) is not None:
        return setting
    nearest = difflib.get_close_matches(name, among, n=1, cutoff=0.0)[0]
    raise BadSetting(f"{source}: there is no setting `{name}`. Did you mean `{nearest}`?", param=name)
