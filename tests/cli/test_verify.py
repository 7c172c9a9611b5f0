"""`headgate verify`: beside the running server and without it, and the exit code a script can rely on."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.command import headgate
from tests.support.gateway import Provider, started
from tests.support.processes import end


def counts(out: str) -> dict[str, str]:
    return dict(re.findall(r"^(.+?) {2,}(\d+)$", out, re.MULTILINE))


async def test_beside_a_server_after_it_and_after_somebody_changed_a_figure(tmp_path: Path) -> None:
    """0 while the books are right, 1 and the figures when they are not. It changes nothing, and needs no key."""
    with started(tmp_path) as gateway:
        workspace = gateway.workspace("customers")
        gateway.integrate(Provider("openai", "openai", gateway.simulator + "/v1", ["sim-fast"]), [workspace])
        key = gateway.key(workspace, usage_limits={"credit_limit": 1}, rate_limits=[])
        for _ in range(3):
            answer = gateway.chat(key, "@openai/sim-fast")
        gateway.record(answer.header("x-headgate-request-id"))
        beside = await headgate("verify", "--data-dir", str(gateway.data_dir), cwd=tmp_path)
        assert (beside.code, beside.err) == (0, "")
        assert (counts(beside.out)["usage records"], counts(beside.out)["differences"]) == ("3", "0")
        assert end(gateway.process) == 0
        after = await headgate("verify", "--data-dir", str(gateway.data_dir), cwd=tmp_path)
        assert (after.code, counts(after.out)["usage records"]) == (0, "3")
        with closing(sqlite3.connect(gateway.data_dir / "headgate.db")) as database:
            database.execute("UPDATE allowance_use SET settled = settled - 1")
            database.commit()
        wrong = await headgate("verify", "--data-dir", str(gateway.data_dir), cwd=tmp_path)
        assert wrong.code == 1
        assert "difference: kept for api_key:" in wrong.out
        assert counts(wrong.out)["differences"] == "2"  # what is kept, and what a start would take from it


async def test_without_books_it_says_so(tmp_path: Path) -> None:
    """Rather than that nothing differs."""
    ran = await headgate("verify", "--data-dir", str(tmp_path / "none"), cwd=tmp_path)
    assert ran.code == 1
    assert "There is no database" in ran.err
