"""The limit of open files, and the connections there is room for."""

import json
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from headgate.process.open_files import RESERVE
from tests.support.gateway import ADDRESS
from tests.support.http import call
from tests.support.processes import HEADGATE, running

CONNECTIONS = 12
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard})); "
FITTED = (
    "from headgate.process.open_files import fitted; from headgate.settings import Settings; "
    "found = fitted(Settings(max_connections={asked})).max_connections; "
    "print([*resource.getrlimit(resource.RLIMIT_NOFILE), found])"
)


@pytest.mark.parametrize(
    ("soft", "hard", "asked", "expected"),
    [
        (256, 4096, 1000, [2 * 1000 + RESERVE, 4096, 1000]),
        (256, 1024, 1000, [1024, 1024, (1024 - RESERVE) // 2]),
        (4096, 4096, 1000, [4096, 4096, 1000]),
        (64, 64, 1000, [64, 64, 1]),
    ],
    ids=["raised", "raised as far as may be", "left alone", "next to nothing"],
)
def test_the_limit_is_raised_and_else_there_are_fewer_connections(
    soft: int, hard: int, asked: int, expected: list[int]
) -> None:
    """Two files for each connection, and some for everything else: soft limit, hard limit, connections."""
    program = LIMITED.format(soft=soft, hard=hard) + FITTED.format(asked=asked)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout.splitlines()[-1]) == expected


def test_a_client_too_many_for_the_open_files_is_told_so(tmp_path: Path) -> None:
    """Not cut off without a word; and as soon as others have left there is room again."""
    limit = RESERVE + 2 * CONNECTIONS
    program = ("-c", LIMITED.format(soft=limit, hard=limit) + HEADGATE[1])
    arguments: list[str | Path] = ["serve", "--port", "0", "--data-dir", tmp_path / "data"]
    with running(arguments, tmp_path / "log", ADDRESS, program=program) as (_, said), ExitStack() as waiting:
        url = said[1]
        port = int(url.rpartition(":")[2])
        for _ in range(CONNECTIONS):
            waiting.enter_context(socket.create_connection(("127.0.0.1", port), 10))
        refused = call("GET", f"{url}/healthz")
        assert (refused.status, refused.json["error"]["code"]) == (503, "too_many_connections")
        waiting.close()
        while call("GET", f"{url}/healthz").status == 503:  # until the server has seen them leave
            pass
        assert call("GET", f"{url}/healthz").status == 200
