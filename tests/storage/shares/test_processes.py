"""Two processes spend one budget: never over it, and nearly all of it."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.spender import DOLLAR
from tests.support.valkey import Valkey, valkey_server

NAMES = ("one", "two")
CALLS = 4_000


@pytest.fixture
def authority() -> Iterator[Valkey]:
    with valkey_server() as server:
        yield server


def test_two_processes_spend_one_dollar(authority: Valkey) -> None:
    """Calls that hold more than they cost, more of them than the budget has room for, from both at once."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.spender", authority.url, name, ",".join(NAMES), str(CALLS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in NAMES
    ]
    results = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        assert process.stdout is not None
        results.append(json.loads(process.stdout.readline()))
    for process in processes:
        _, _ = process.communicate("end\n", timeout=30)
        assert process.returncode == 0
    spent = sum(each["spent"] for each in results)
    assert 0.95 * DOLLAR <= spent <= DOLLAR
    assert all(each["spent"] for each in results)
    hot = max(results, key=lambda each: each["let_in"])
    assert hot["trips"] < hot["let_in"], "every call waited for a round trip"
