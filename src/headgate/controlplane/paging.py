"""Pages, in both of the contract's spellings; counted from 0."""

from typing import Annotated

from fastapi import Depends, Query

from headgate.tenancy.stores import Page

LARGEST = 10_000
"""Also the size where none is asked for: a page that is too small hides customers from a client that sees only one."""
_Number = Annotated[int | None, Query(ge=0, le=1_000_000_000)]
_Size = Annotated[int | None, Query(ge=1, le=LARGEST)]


def _page(
    current_page: _Number = None,
    page_size: _Size = None,
    current_page_camel: Annotated[int | None, Query(alias="currentPage", ge=0, le=1_000_000_000)] = None,
    page_size_camel: Annotated[int | None, Query(alias="pageSize", ge=1, le=LARGEST)] = None,
) -> Page:
    size = page_size or page_size_camel or LARGEST
    return Page(offset=(current_page or current_page_camel or 0) * size, limit=size)


Paged = Annotated[Page, Depends(_page)]
