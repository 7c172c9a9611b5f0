"""Lists come in pages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a list, oldest first."""

    offset: int = 0
    limit: int = 10_000
