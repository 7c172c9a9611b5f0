"""Credentials of the file: named by an environment variable, never written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Secret:
    """`{env: OPENAI_API_KEY}`, and what that variable holds."""

    variable: str
    value: str = field(repr=False)

    def __str__(self) -> str:
        return f"(from {self.variable})"


def revealed(value: Any) -> Any:
    """With the credentials in it, for the server."""
    if isinstance(value, Secret):
        return value.value
    if isinstance(value, Mapping):
        return {name: revealed(each) for name, each in value.items()}
    return [revealed(each) for each in value] if isinstance(value, list) else value
