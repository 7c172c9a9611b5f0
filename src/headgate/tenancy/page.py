"""Lists come in pages."""

from dataclasses import dataclass
from typing import Literal

Match = Literal["part", "part in any case", "whole"]
"""How the name that is looked for is in the name that is found."""


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a list, oldest first."""

    offset: int = 0
    limit: int = 10_000
