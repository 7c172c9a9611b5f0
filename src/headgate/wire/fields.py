"""One object of a request, read member by member. What nobody reads is refused, never dropped silently.

A reader takes the members it can translate and calls `done`. What is left must be null or empty, or stand in the
format's table of members that are harmless to leave out, each with its reason.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from headgate.base.errors import InvalidRequest


class Harmless(NamedTuple):
    """Why a member can be left out, and with which values; no values means whatever it is."""

    reason: str
    values: tuple[object, ...] = ()


class Fields:
    """`path` is where the object stands in the request, for error messages: `messages[3].content[0]`."""

    __slots__ = ("_members", "_read", "path")

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise InvalidRequest(f"`{path}` must be an object.", param=path)
        self._members: dict[str, Any] = value
        self._read: set[str] = set()
        self.path = path

    def param(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def wrong(self, name: str, expected: str) -> InvalidRequest:
        """`expected` completes the sentence "`name` must be ..."."""
        return InvalidRequest(f"`{self.param(name)}` must be {expected}.", param=self.param(name))

    def cannot(self, name: str, why: str = "", details: Mapping[str, Any] | None = None) -> InvalidRequest:
        """The error for a member that the other format has no word for."""
        reason = f": {why}" if why else ""
        return InvalidRequest(
            f"`{self.param(name)}` cannot be translated for this model's provider, which speaks another format"
            f"{reason}. Leave it out, or choose a model whose provider speaks the format of this endpoint.",
            param=self.param(name),
            code="untranslatable",
            details=details,
        )

    def take(self, name: str) -> Any:
        """The member as it is; None if absent. It counts as read."""
        self._read.add(name)
        return self._members.get(name)

    def string(self, name: str) -> str | None:
        value = self.take(name)
        if value is not None and not isinstance(value, str):
            raise self.wrong(name, "a string")
        return value

    def text(self, name: str) -> str:
        """A string that must be there."""
        value = self.string(name)
        if value is None:
            raise self.wrong(name, "a string")
        return value

    def integer(self, name: str, minimum: int = 0) -> int | None:
        value = self.take(name)
        if value is not None and (type(value) is not int or value < minimum):
            raise self.wrong(name, f"an integer of at least {minimum}")
        return value

    def number(self, name: str) -> int | float | None:
        value = self.take(name)
        if value is not None and type(value) not in (int, float):
            raise self.wrong(name, "a number")
        return value  # type: ignore[no-any-return]  # narrowed by the exact types above

    def boolean(self, name: str) -> bool | None:
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def mapping(self, name: str) -> dict[str, Any] | None:
        """An object that is passed on as a whole: a JSON schema, the input of a tool."""
        value = self.take(name)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return value

    def object(self, name: str) -> "Fields | None":
        value = self.take(name)
        return None if value is None else Fields(value, self.param(name))

    def objects(self, name: str) -> list["Fields"]:
        """The objects of a list; none if it is absent or null."""
        value = self.take(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(name, "an array of objects")
        return [Fields(item, f"{self.param(name)}[{index}]") for index, item in enumerate(value)]

    def strings(self, name: str) -> tuple[str, ...]:
        """A string or a list of them."""
        value = self.take(name)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(name, "a string or an array of strings")
        return tuple(value)

    def done(self, harmless: Mapping[str, Harmless] | None = None) -> None:
        """Raises `InvalidRequest` naming the first member that was not read and cannot be left out."""
        for name, value in self._members.items():
            if name in self._read or value is None or value in ([], {}):
                continue
            rule = (harmless or {}).get(name)
            if rule is None or (rule.values and value not in rule.values):
                raise self.cannot(name)
