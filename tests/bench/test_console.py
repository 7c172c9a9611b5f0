"""The console benchmark looks at what it says it looks at."""

from pathlib import Path

from bench.console import measure
from headgate.console.pages import PAGES
from headgate.console.portal.app import PAGES as PORTAL_PAGES


async def test_every_page_is_looked_at(tmp_path: Path) -> None:
    """Over records that were written with their sums; each page is there."""
    result = await measure(tmp_path, 5_000)
    of_portal = {page for page in result["pages"] if page.startswith("/portal")}
    assert len(of_portal) >= sum(method == "GET" for method, *_ in PORTAL_PAGES)
    assert len(result["pages"].keys() - of_portal) >= sum(method == "GET" for method, *_ in PAGES)
    assert all(each["ms"] > 0 for each in result["pages"].values())
