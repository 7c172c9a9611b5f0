"""What differs between an object as it is declared and as it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headgate.base.errors import InvalidRequest
from headgate.cli.apply.fields import LEGIBLE, canonical, lasting_limits
from headgate.cli.apply.kinds import TENANTS
from headgate.cli.apply.live import Names
from headgate.cli.apply.platform import Declared
from headgate.cli.apply.references import by_name
from headgate.cli.apply.secret import Secret, revealed
from headgate.tenancy import limit_rules, short_limits
from headgate.tenancy.integrations import masked


@dataclass(frozen=True, slots=True)
class Difference:
    """`field` is the one that is sent, `place` where in it. `before` and `after` are as they are written and shown."""

    field: str
    place: str
    before: Any
    after: Any


def differences(
    wanted: Declared,
    shown: Mapping[str, Any],
    names: Names,
    *,
    schema: Mapping[str, Any] | None = None,
    credentials: bool = False,
) -> list[Difference]:
    """Of the fields that are declared. `schema` fills in metadata. Raises `BadFile` for what no server would take."""
    found = []
    for field, place, after in _leaves(wanted.fields):
        before = shown.get("masked_key") if isinstance(after, Secret) else _at(shown, place)
        name = place.rpartition(".")[2]
        try:
            same = _same(wanted, place, after, before, shown, names, schema, credentials=credentials)
            if not same and name in LEGIBLE:
                before, after = canonical(name, before), canonical(name, after)
        except InvalidRequest as error:
            raise wanted.wrong(_nested(place, error.param), error.message) from None
        if not same:
            found.append(Difference(field, place, by_name(name, before, names), after))
    return found


def _leaves(fields: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """`defaults` and the policy of rotation change by what is sent of them, everything else as a whole."""
    for name, value in fields.items():
        if name == "defaults" and isinstance(value, dict):
            for inner, each in value.items():
                yield name, f"{name}.{inner}", each
        else:
            yield name, name, value


def _same(
    wanted: Declared,
    place: str,
    after: Any,
    before: Any,
    shown: Mapping[str, Any],
    names: Names,
    schema: Mapping[str, Any] | None,
    *,
    credentials: bool,
) -> bool:
    name = place.rpartition(".")[2]
    if isinstance(after, Secret):
        return not credentials and shown.get("masked_key") == masked(after.value)
    plain = revealed(after)
    meant = canonical(name, by_name(name, plain, names))
    if name == "configurations" and credentials:
        return False
    if place == "defaults.metadata" and schema is not None:
        defaults = {each: rule["default"] for each, rule in schema.get("properties", {}).items() if "default" in rule}
        meant = {**defaults, **(meant or {})} or None
    if wanted.kind is TENANTS and name in ("usage_limits", "rate_limits"):
        meant = _with_short_ones(name, plain, wanted.fields)
    if name == "rotation_policy" and isinstance(meant, dict) and before:
        before = {each: before.get(each) for each in meant}
    return bool(meant == canonical(name, by_name(name, before, names)))


def _with_short_ones(name: str, value: Any, fields: Mapping[str, Any]) -> Any:
    """A tenant's limits are shown with those that have short names."""
    plain = revealed(fields)
    if name == "usage_limits":
        return frozenset(short_limits.with_short_budgets(lasting_limits(value), plain)) or None
    return frozenset(short_limits.with_short_rate(limit_rules.rate_limits(value), plain)) or None


def _at(shown: Mapping[str, Any], place: str) -> Any:
    found: Any = shown
    for part in place.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _nested(place: str, param: str | None) -> str:
    """A reader calls its field as the server does; within `defaults`, and of parts, it stands further in."""
    name = place.rpartition(".")[2]
    return place + param[len(name) :] if param and param.startswith(name) else place
