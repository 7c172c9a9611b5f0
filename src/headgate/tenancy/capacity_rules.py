"""Reads `capacity` as an administrator writes it, and refuses, by name, what it cannot be."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy.capacity import Capacity
from headgate.tenancy.limit_rules import whole

FIGURES: Final = ("max_concurrency", "requests_per_minute", "tokens_per_minute")
LARGEST: Final = 10**12
LONGEST_WAIT_MS: Final = 60_000
MOST_WAITING: Final = 100_000
HEAVIEST: Final = 1_000


def capacity(value: object, param: str) -> Capacity | None:
    """The object that takes the place of the one before; None for none.

    Unlike elsewhere an unknown field is refused: a figure that is misspelt must not be taken for one that is in force.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"`{param}` must be an object.", param=param)
    for name in value:
        if name not in _READERS:
            where = f"{param}.{name}"[:200]
            raise InvalidRequest(f"`{where}` is not known. Known: {', '.join(_READERS)}.", param=where)
    found = Capacity(**{name: _READERS[name](each, f"{param}.{name}") for name, each in value.items()})
    figures = [name for name in FIGURES if getattr(found, name) is not None]
    if found.learned and figures:
        raise InvalidRequest(
            f"`{param}` is either `learned` or has figures: leave out `{param}.{figures[0]}` or `{param}.learned`.",
            param=f"{param}.learned",
        )
    if not found.learned and not figures:
        raise InvalidRequest(
            f"`{param}` needs at least one of {', '.join(FIGURES)}, or `learned`; null for no capacity.", param=param
        )
    return found


def weight(value: object, param: str = "weight") -> int:
    """A tenant's, beside others'."""
    return whole(value, param, low=1, high=HEAVIEST)


def shown(found: Capacity | None) -> dict[str, Any] | None:
    """As an administrator writes it, with what is in force where nothing was written."""
    return None if found is None else found.document()


def _figure(value: object, param: str) -> int | None:
    return None if value is None else whole(value, param, low=1, high=LARGEST)


def _flag(value: object, param: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"`{param}` must be true or false.", param=param)
    return value


_READERS: Final[Mapping[str, Callable[[object, str], Any]]] = {
    **dict.fromkeys(FIGURES, _figure),
    "learned": _flag,
    "max_wait_ms": partial(whole, low=0, high=LONGEST_WAIT_MS),
    "max_waiting": partial(whole, low=0, high=MOST_WAITING),
    "max_waiting_per_tenant": partial(whole, low=0, high=MOST_WAITING),
}
