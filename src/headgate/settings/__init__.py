"""Every setting, declared once: defaults, `headgate.toml`, `HEADGATE_*` and flags become one frozen object."""

from headgate.settings.declared import SETTINGS, Settings
from headgate.settings.load import load
from headgate.settings.setting import BadSetting, Setting

__all__ = ["SETTINGS", "BadSetting", "Setting", "Settings", "load"]
