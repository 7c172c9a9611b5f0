"""One setting: what fits it, how it is read, how it is documented."""

import math
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from headgate.base.errors import HeadgateError

ENV_PREFIX: Final = "HEADGATE_"

_TRUE = frozenset(("1", "true", "yes", "on"))
_FALSE = frozenset(("0", "false", "no", "off"))


class BadSetting(HeadgateError):
    """A setting that is not known, or a value that does not fit it. `param` is its name."""

    status, type, code = 500, "configuration_error", "setting"


@dataclass(frozen=True, slots=True)
class Is:
    """What is said of a setting beside its name, type and default.

    `low` and `high` bound a number, both included; a text is one of `choices`, or a URL of one of `schemes`, where
    those are given. `networks`: it is a list of IP addresses and networks. A `secret` is never shown.
    """

    doc: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    networks: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """All that is known about one setting."""

    name: str
    kind: type
    optional: bool
    default: Any
    told: Is

    @property
    def env(self) -> str:
        return ENV_PREFIX + self.name.upper()

    @property
    def expected(self) -> str:
        """What fits, to end the sentence "expected ..."."""
        if self.told.choices:
            return " or ".join(f"`{choice}`" for choice in self.told.choices)
        if self.told.schemes:
            return "a URL that starts with " + " or ".join(f"`{scheme}://`" for scheme in self.told.schemes)
        if self.told.networks:
            return "IP addresses or networks, with commas between them"
        if self.kind in (int, float):
            noun = "a whole number" if self.kind is int else "a number"
            return f"{noun} from {self.told.low:.15g} to {self.told.high:.15g}"
        return {bool: "`true` or `false`", Path: "a path"}.get(self.kind, "a text that is not empty")

    def read(self, raw: object, source: str) -> Any:
        """The value, from text or from a typed one. `source` says where it stands. Raises `BadSetting`."""
        if raw == "" and self.optional:
            return None
        value = self._from_text(raw) if isinstance(raw, str) else self._from_value(raw)
        if value is None:
            shown = "the value (not shown, it is a secret)" if self.told.secret else f"`{raw}`"
            raise BadSetting(f"{source}: {shown} does not fit; expected {self.expected}.", param=self.name)
        return value

    def _from_text(self, text: str) -> Any:
        """None where it does not fit."""
        if self.kind is bool:
            lowered = text.strip().lower()
            return True if lowered in _TRUE else False if lowered in _FALSE else None
        if self.kind in (int, float):
            try:
                return self._within(self.kind(text))
            except ValueError:
                return None
        if not text or "\0" in text:
            return None
        if self.kind is Path:
            return Path(text)
        if self.told.networks and not _are_networks(text):
            return None
        wrong_choice = self.told.choices and text not in self.told.choices
        wrong_url = self.told.schemes and not self._is_url(text)
        return None if wrong_choice or wrong_url else text

    def _from_value(self, raw: object) -> Any:
        """None where it does not fit."""
        if self.kind is Path and isinstance(raw, Path):
            return raw
        if self.kind is float and type(raw) is int:
            raw = float(raw)  # why: of what is a number here, only durations have fractions
        if type(raw) is not self.kind:  # exactly so: `true` is no number
            return None
        return self._within(raw) if isinstance(raw, int | float) and self.kind is not bool else raw

    def _within(self, number: float) -> float | None:
        return number if self.told.low <= number <= self.told.high else None

    def _is_url(self, text: str) -> bool:
        """Of one host, or of several with a comma between them."""
        try:
            parts = urlsplit(text)
            places = [urlsplit(f"//{place}") for place in parts.netloc.rpartition("@")[2].split(",")]
            hosts = all(place.hostname and place.port != 0 for place in places)
            return parts.scheme in self.told.schemes and hosts
        except ValueError:
            return False


def _are_networks(text: str) -> bool:
    try:
        for each in text.split(","):
            ip_network(each.strip())
    except ValueError:
        return False
    return True
