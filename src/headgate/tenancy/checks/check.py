"""What a check is: a function that says whether something passes, made from the parameters an administrator wrote."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from headgate.base.errors import InvalidRequest


class ModelCheck(Protocol):
    """May this model of this provider (its slug) be called, with this metadata?"""

    def __call__(self, provider: str, model: str, metadata: Mapping[str, str], /) -> bool: ...


class TextCheck(Protocol):
    """Is this text as it should be? The texts of a request, or of an answer, are joined by line breaks."""

    def __call__(self, text: str, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class ModelCheckKind:
    """Looked at before a call is held, and for each model that is listed to a caller."""

    id: str
    build: Callable[["Parameters"], ModelCheck]
    """Raises `InvalidRequest` naming the parameter. What it returns must be quick and must not wait: it runs within
    calls, between their steps."""


@dataclass(frozen=True, slots=True)
class TextCheckKind:
    """Looked at with the text of a request, or of an answer, whichever the guardrail is attached to."""

    id: str
    build: Callable[["Parameters"], TextCheck]
    """As `ModelCheckKind.build`."""


CheckKind = ModelCheckKind | TextCheckKind


class Parameters:
    """The parameters of one check, read by type. Whatever is wrong raises `InvalidRequest` naming the parameter."""

    def __init__(self, values: Mapping[str, Any], path: str) -> None:
        self._values = values
        self._path = path

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def param(self, name: str) -> str:
        """What an error calls it: `checks[0].parameters.words`."""
        return f"{self._path}.{name}"

    def wrong(self, name: str, expected: str) -> InvalidRequest:
        """The error; `expected` completes the sentence "`name` must be ..."."""
        return InvalidRequest(f"`{self.param(name)}` must be {expected}.", param=self.param(name))

    def value(self, name: str) -> Any:
        """As it was sent; None if it is absent."""
        return self._values.get(name)

    def text(self, name: str) -> str:
        value = self.value(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(name, "a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """At least one, and none that is empty."""
        value = self.value(name)
        if not isinstance(value, list) or not value or not all(isinstance(each, str) and each for each in value):
            raise self.wrong(name, "a list of one or more texts")
        return tuple(value)

    def boolean(self, name: str) -> bool:
        """False where it is absent."""
        value = self.value(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise self.wrong(name, "true or false")

    def count(self, name: str, default: int) -> int:
        value = self.value(name)
        if value is None:
            return default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or value < 0:
            raise self.wrong(name, "a whole number, 0 or more")
        return value

    def one_of(self, name: str, *allowed: str) -> str:
        """The first is what it is where it is absent."""
        value = self.value(name)
        if value is None:
            return allowed[0]
        if value not in allowed:
            raise self.wrong(name, f"one of {', '.join(allowed)}")
        return str(value)
