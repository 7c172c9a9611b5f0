"""`headgate audit verify`: beside the running server and without it, and the exit code a script can rely on."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.command import Ran, headgate
from tests.support.gateway import started
from tests.support.processes import end


def head(ran: Ran) -> str:
    (found,) = re.findall(r"^org_\w+ +\d+ +([0-9a-f]{64})$", ran.out, re.MULTILINE)
    return str(found)


def change(data_dir: Path, statement: str) -> None:
    with closing(sqlite3.connect(data_dir / "headgate.db")) as database:
        database.execute(statement)
        database.commit()


async def test_beside_a_server_and_after_somebody_changed_the_log(tmp_path: Path) -> None:
    """0 while the chain holds; 1 and the place where it breaks, or that an end which was noted is gone."""
    with started(tmp_path) as gateway:
        place = ("--data-dir", str(gateway.data_dir))
        before = await headgate("audit", "verify", *place, cwd=tmp_path)
        assert (before.code, before.err) == (0, "")
        gateway.workspace("one")
        gateway.workspace("two")
        after = await headgate("audit", "verify", "--head", head(before), *place, cwd=tmp_path)
        assert (after.code, after.err) == (0, "")
        assert head(after) != head(before)
        assert end(gateway.process) == 0

        change(gateway.data_dir, "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
        shorter = await headgate("audit", "verify", *place, cwd=tmp_path)
        assert shorter.code == 0  # what is left is a chain: only the head that was noted can tell
        cut = await headgate("audit", "verify", "--head", head(after), *place, cwd=tmp_path)
        assert cut.code == 1
        assert "is in no log" in cut.out

        change(gateway.data_dir, "UPDATE audit SET client_ip = '10.0.0.1' WHERE seq = 4")
        broken = await headgate("audit", "verify", *place, cwd=tmp_path)
        assert broken.code == 1
        assert "breaks at entry 4" in broken.out


async def test_without_a_log_or_with_a_head_that_is_none_it_says_so(tmp_path: Path) -> None:
    """Rather than that nothing is wrong."""
    ran = await headgate("audit", "verify", "--data-dir", str(tmp_path / "none"), cwd=tmp_path)
    assert (ran.code, "There is no database" in ran.err) == (1, True)
    ran = await headgate("audit", "verify", "--head", "abc", cwd=tmp_path)
    assert (ran.code, "64 hexadecimal digits" in ran.err) == (2, True)
