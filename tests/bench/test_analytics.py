"""The analytics benchmark asks what it says it asks."""

from pathlib import Path

from bench.analytics import measure
from headgate.analytics.graphs import GRAPHS


async def test_every_graph_is_asked_over_the_records(tmp_path: Path) -> None:
    """Of records that were written with their sums; each question is answered."""
    result = await measure(tmp_path, 5_000)
    assert result["records"] == 5_000
    assert {f"graph {name}" for name in GRAPHS} <= set(result["questions"])
    assert all(each["ms"] > 0 for each in result["questions"].values())
