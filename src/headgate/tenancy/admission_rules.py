"""Reads `admission` as an administrator writes it, and refuses, by name, what it cannot be."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy import limit_rules, pricing
from headgate.tenancy.admission import Rules, Streams, Unpriced

SMALLEST_HOLD: Final = 2_048
LARGEST_TOKENS: Final = 10_000_000
LONGEST_WAIT_MS: Final = 60_000


def admission_rules(value: object, param: str = "admission") -> Rules:
    """The rules to store, from an object that takes the place of the one before; None for none.

    Unlike elsewhere an unknown field is refused: a rule that is misspelt must not be taken for one that is in force.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"`{param}` must be an object.", param=param)
    for name in value:
        if name not in _READERS:
            where = f"{param}.{name}"[:200]
            raise InvalidRequest(f"`{where}` is no rule. Known: {', '.join(_READERS)}.", param=where)
    return {name: _READERS[name](each, f"{param}.{name}") for name, each in value.items()}


def shown(rules: Rules) -> dict[str, Any]:
    """As an administrator wrote it."""
    unpriced = rules.get("unpriced")
    return {**rules, "unpriced": pricing.shown(unpriced)} if isinstance(unpriced, Mapping) else dict(rules)


def _clamp(value: object, param: str) -> int | None:
    return None if value is None else limit_rules.whole(value, param, low=1, high=LARGEST_TOKENS)


def _wait(value: object, param: str) -> int:
    return limit_rules.whole(value, param, low=0, high=LONGEST_WAIT_MS)


def _streams(value: object, param: str) -> str:
    return _choice(value, Streams, param)


def _first_hold(value: object, param: str) -> int:
    return limit_rules.whole(value, param, low=SMALLEST_HOLD, high=LARGEST_TOKENS)


def _unpriced(value: object, param: str) -> Any:
    return pricing.rates(value, param) if isinstance(value, Mapping) else _choice(value, Unpriced, param)


def _choice(value: object, choices: type[Streams | Unpriced], param: str) -> str:
    if value not in list(choices):
        raise InvalidRequest(f"`{param}` must be one of {', '.join(choices)}.", param=param)
    return str(value)


_READERS: Final[Mapping[str, Callable[[object, str], Any]]] = {
    "clamp_min_output": _clamp,
    "hold_wait_ms": _wait,
    "streams": _streams,
    "first_hold_tokens": _first_hold,
    "unpriced": _unpriced,
}
