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


def spend(url: str, dollars: int) -> list[dict[str, int]]:
    """What each of two processes did with their budget, both at once."""
    command = [sys.executable, "-m", "tests.support.spender", url]
    processes = [
        subprocess.Popen(
            [*command, name, ",".join(NAMES), str(CALLS), str(dollars)],
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
        process.communicate("end\n", timeout=30)
        assert process.returncode == 0
    return results


def test_two_processes_spend_one_dollar(authority: Valkey) -> None:
    """Calls that hold more than they cost, more of them than the budget has room for, from both at once."""
    results = spend(authority.url, 1)
    assert 0.95 * DOLLAR <= sum(each["spent"] for each in results) <= DOLLAR
    assert all(each["spent"] for each in results)


def test_far_from_a_cap_calls_are_decided_without_a_round_trip(authority: Valkey) -> None:
    """Shares grow until they last for about as long as it takes to tell of their use."""
    for each in spend(authority.url, 10_000):
        assert each["let_in"] == CALLS
        assert each["trips"] * 20 < CALLS
