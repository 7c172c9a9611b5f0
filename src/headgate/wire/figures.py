"""A provider's usage object, read with distrust: counts are never negative, never absurd, and say what was mended."""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from headgate.base.usage import Usage

MAX_COUNT: Final = 1_000_000_000
"""More than any one call can use. What is beyond is a mistake of the provider's, and would overflow the books."""

_decode = msgspec.json.Decoder().decode


def usage_object(usage: bytes | Mapping[str, Any] | None) -> tuple[bytes, Mapping[str, Any]] | None:
    """The usage object's JSON and its members, from either. None if it is absent, null or no object."""
    if isinstance(usage, bytes):
        try:
            members = _decode(usage)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return (usage, members) if isinstance(members, dict) else None
    return (msgspec.json.encode(usage), usage) if isinstance(usage, Mapping) else None


class Figures:
    """The members of one object as counts. `flags` names each figure that was not one, as `kind:member`."""

    __slots__ = ("_members", "flags")

    def __init__(self, members: Mapping[str, Any], flags: dict[str, None] | None = None) -> None:
        self._members = members
        self.flags: dict[str, None] = {} if flags is None else flags

    def __contains__(self, name: str) -> bool:
        return self._members.get(name) is not None

    def count(self, name: str) -> int:
        """From 0 to `MAX_COUNT`; absent is 0."""
        value = self._members.get(name)
        if value is None:
            return 0
        if type(value) is not int:
            value = self._mended(name, value)
        if value < 0:
            self.flags[f"negative:{name}"] = None
            return 0
        if value > MAX_COUNT:
            self.flags[f"huge:{name}"] = None
            return MAX_COUNT
        return value

    def _mended(self, name: str, value: object) -> int:
        if isinstance(value, str):
            try:
                value = float(value)  # why: counts have come as "12.0"; it is made whole below
            except ValueError:
                self.flags[f"type:{name}"] = None
                return 0
            self.flags[f"string:{name}"] = None
        elif isinstance(value, float):
            self.flags[f"float:{name}"] = None
        else:
            self.flags[f"type:{name}"] = None
            return 0
        if math.isnan(value):
            return 0
        return MAX_COUNT + 1 if math.isinf(value) else math.ceil(value)

    def portion(self, name: str, left: int) -> int:
        """A count that is part of another one, of which this much is left."""
        value = self.count(name)
        if value > left:
            self.flags[f"exceeds:{name}"] = None
            return left
        return value

    def object(self, name: str) -> "Figures":
        """The figures of a member that is an object; of anything else, none. Flags are kept in one list."""
        value = self._members.get(name)
        return Figures(value if isinstance(value, dict) else {}, self.flags)

    def objects(self, name: str) -> list["Figures"]:
        """The figures of each object of a list."""
        values = self._members.get(name)
        return [Figures(v, self.flags) for v in values if isinstance(v, dict)] if isinstance(values, list) else []

    def text(self, name: str) -> str:
        value = self._members.get(name)
        return value if isinstance(value, str) else ""

    def names(self) -> tuple[str, ...]:
        return tuple(self._members)


def report(counts: Mapping[str, int], figures: Figures, raw: bytes, terms: object = None) -> Usage:
    """The provider's report, with the meters that moved. If none did that is flagged: it may be true, or a mistake."""
    moved = {meter: count for meter, count in counts.items() if count}
    if not moved:
        figures.flags["zero:usage"] = None
    return Usage(moved, raw=raw, flags=tuple(figures.flags), terms=terms if isinstance(terms, str) else None)
