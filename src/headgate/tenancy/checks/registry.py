"""Every kind of check there is, by its id: those that come with Headgate, and those of packages beside it.

A package adds its own under the entry point group `headgate.guardrails`: an entry point that names a `ModelCheckKind`
or a `TextCheckKind`.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final

from headgate.tenancy.checks.check import CheckKind, ModelCheckKind, TextCheckKind
from headgate.tenancy.checks.model_checks import MODEL_CHECKS
from headgate.tenancy.checks.text_checks import TEXT_CHECKS

GROUP: Final = "headgate.guardrails"


@cache
def checks() -> Mapping[str, CheckKind]:
    """All that are installed. Raises `ValueError` for two of one id, and for an entry point that is no check."""
    return registered((*MODEL_CHECKS, *TEXT_CHECKS, *(each.load() for each in entry_points(group=GROUP))))


def registered(kinds: Iterable[object]) -> Mapping[str, CheckKind]:
    """As `checks`, of these."""
    found: dict[str, CheckKind] = {}
    for kind in kinds:
        if not isinstance(kind, ModelCheckKind | TextCheckKind):
            raise ValueError(f"{kind!r} in the group {GROUP} is no kind of check")
        if kind.id in found:
            raise ValueError(f"there are two checks with the id {kind.id}")
        found[kind.id] = kind
    return MappingProxyType(found)
