"""Configs and guardrails, which a file calls by their names and the server by slugs and ids."""

from collections.abc import Callable
from typing import Any, Final

from headgate.cli.apply.kinds import CONFIGS, GUARDRAILS, Kind
from headgate.cli.apply.live import Names

_REFERRING: Final = {"config_id": CONFIGS, "input_guardrails": GUARDRAILS, "output_guardrails": GUARDRAILS}


def by_name(field: str, value: Any, names: Names) -> Any:
    """The same with names wherever something is referred to."""
    return _each(field, value, lambda _, text: names.name(text))


def by_slug(field: str, value: Any, names: Names, workspace: str | None) -> Any:
    """The same with slugs; a name is sought in the workspace first, then in the organization."""
    return _each(field, value, lambda kind, text: names.slug(kind, workspace, text))


def _each(field: str, value: Any, turn: Callable[[Kind, str], str]) -> Any:
    kind = _REFERRING.get(field)
    if isinstance(value, str):
        return value if kind is None else turn(kind, value)
    if isinstance(value, list):
        return [_each(field, each, turn) for each in value]
    return {name: _each(name, each, turn) for name, each in value.items()} if isinstance(value, dict) else value
