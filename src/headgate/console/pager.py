"""Long lists, fifty at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy.stores import Page

SIZE: Final = 50
_MOST_PAGES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Pager:
    """`number` counts from 1."""

    number: int
    total: int = 0

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Pager":
        """`page` in the address. Raises `InvalidRequest`."""
        text = query.get("page") or "1"
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_PAGES):
            raise InvalidRequest("`page` must be a number from 1 on.", param="page")
        return cls(int(text[:9]))

    def over(self, total: int) -> "Pager":
        return replace(self, total=total)

    @property
    def page(self) -> Page:
        return Page(offset=(self.number - 1) * SIZE, limit=SIZE)

    @property
    def last(self) -> int:
        return max(-(-self.total // SIZE), 1)
