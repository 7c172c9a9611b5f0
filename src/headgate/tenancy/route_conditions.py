"""The conditions of a config: what a call must be like for a target to be chosen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol, TypeAlias

from headgate.base.errors import InvalidRequest
from headgate.tenancy.checks.pattern import pattern

MOST_TESTS: Final = 64
MOST_VALUES: Final = 100
DEEPEST: Final = 8
METADATA: Final = "metadata"
PARAMS: Final = "params"
_OPERATORS: Final = ("$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$regex")


class Facts(Protocol):
    """A call, as conditions and sticky fields look at it."""

    @property
    def metadata(self) -> Mapping[str, str]: ...

    def param(self, name: str) -> Any:
        """A top-level member of the request, decoded; None if it is absent."""
        ...


@dataclass(frozen=True, slots=True)
class Field:
    """`metadata.<key>`, or `params.<member>` and deeper into it by dots."""

    source: str
    path: tuple[str, ...]

    def of(self, facts: Facts) -> Any:
        """None where there is no such thing."""
        if self.source == METADATA:
            return facts.metadata.get(".".join(self.path))
        value = facts.param(self.path[0])
        for step in self.path[1:]:
            value = value.get(step) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True, slots=True)
class Test:
    """One field against one operand. Of metadata the text counts; beyond that `5` is not `"5"`."""

    field: Field
    operator: str
    operand: Any

    def holds(self, facts: Facts) -> bool:
        value = self.field.of(facts)
        match self.operator:
            case "$eq":
                return _same(value, self.operand)
            case "$ne":
                return not _same(value, self.operand)
            case "$in":
                return any(_same(value, each) for each in self.operand)
            case "$nin":
                return not any(_same(value, each) for each in self.operand)
            case "$regex":
                return isinstance(value, str) and self.operand.found_in(value)
            case _:
                return _compared(value, self.operand, self.operator)


@dataclass(frozen=True, slots=True)
class Every:
    """All of them hold."""

    parts: "tuple[Condition, ...]"

    def holds(self, facts: Facts) -> bool:
        return all(part.holds(facts) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Either:
    """One of them holds."""

    parts: "tuple[Condition, ...]"

    def holds(self, facts: Facts) -> bool:
        return any(part.holds(facts) for part in self.parts)


Condition: TypeAlias = Test | Every | Either


def condition(query: object, where: str) -> Condition:
    """Reads a `query`. Raises `InvalidRequest` naming the field that is wrong."""
    found = _query(query, where, 1)
    if _size(found) > MOST_TESTS:
        raise InvalidRequest(f"`{where}` has more than {MOST_TESTS} tests.", param=where)
    return found


def field(name: object, where: str) -> Field:
    """Reads `metadata.<key>` or `params.<member>`."""
    if isinstance(name, str) and len(name) <= 200:
        source, _, rest = name.partition(".")
        path = tuple(rest.split("."))
        if source in (METADATA, PARAMS) and all(path):
            return Field(source, path)
    raise InvalidRequest(f"`{where}` must be `metadata.<key>` or `params.<member>`.", param=where)


def _query(query: object, where: str, depth: int) -> Condition:
    if depth > DEEPEST:
        raise InvalidRequest(f"`{where}` is nested more than {DEEPEST} deep.", param=where)
    if not isinstance(query, Mapping) or not query:
        raise InvalidRequest(f"`{where}` must be an object with at least one test.", param=where)
    parts: list[Condition] = []
    for name, value in query.items():
        at = f"{where}.{name}"[:200]
        if name in ("$and", "$or"):
            inner = tuple(_query(each, f"{at}[{index}]", depth + 1) for index, each in enumerate(_listed(value, at)))
            parts.append(Every(inner) if name == "$and" else Either(inner))
        else:
            parts += _tests(field(name, at), value, at)
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def _tests(of: Field, value: object, where: str) -> list[Test]:
    tests = value if isinstance(value, Mapping) else {"$eq": value}
    if not tests:
        raise InvalidRequest(f"`{where}` has no operator.", param=where)
    return [_test(of, operator, operand, f"{where}.{operator}"[:200]) for operator, operand in tests.items()]


def _test(of: Field, operator: str, operand: object, where: str) -> Test:
    if operator not in _OPERATORS:
        raise InvalidRequest(f"`{where}`: the operators are {', '.join(_OPERATORS)}.", param=where)
    if operator == "$regex":
        return Test(of, operator, pattern(operand, where))
    read = _text if of.source == METADATA else _scalar
    if operator in ("$in", "$nin"):
        return Test(of, operator, tuple(read(each, where) for each in _listed(operand, where)))
    return Test(of, operator, read(operand, where))


def _listed(value: object, where: str) -> Sequence[object]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
        raise InvalidRequest(f"`{where}` must be a list of 1 to {MOST_VALUES}.", param=where)
    return value


def _scalar(value: object, where: str) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    raise InvalidRequest(f"`{where}` must be a string, a number, true, false or null.", param=where)


def _text(value: object, where: str) -> object:
    """As metadata has it: in JSON's own spelling."""
    scalar = _scalar(value, where)
    if isinstance(scalar, bool):
        return "true" if scalar else "false"
    return scalar if scalar is None else str(scalar)


def _same(value: object, operand: object) -> bool:
    return value == operand and isinstance(value, bool) == isinstance(operand, bool)


_ORDERED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "$gt": lambda one, other: one > other,
    "$gte": lambda one, other: one >= other,
    "$lt": lambda one, other: one < other,
    "$lte": lambda one, other: one <= other,
}


def _compared(value: object, operand: object, operator: str) -> bool:
    """Numbers, and texts that are numbers, as numbers; other texts as texts; anything else does not compare."""
    numbers = _number(value), _number(operand)
    if None not in numbers:
        return _ORDERED[operator](*numbers)
    if isinstance(value, str) and isinstance(operand, str):
        return _ORDERED[operator](value, operand)
    return False


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _size(found: Condition) -> int:
    return 1 if isinstance(found, Test) else sum(_size(part) for part in found.parts)
