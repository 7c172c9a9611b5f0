"""The supervisor: it starts, replaces and ends workers, and they end without it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.mortal import ROOT
from tests.support.processes import NotReady, running

PROGRAM = ("-m", "tests.support.supervised")
WITHIN_S = 20.0


class Supervised:
    """`process` is the supervisor."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    def said(self, what: str) -> list[tuple[int, int]]:
        """Number and process id, of each worker that said so, in order."""
        return [(int(number), int(pid)) for number, pid in re.findall(rf"^{what} (\d+) (\d+)", self.log, re.MULTILINE)]

    @property
    def log(self) -> str:
        return self._log.read_text()

    def begun(self, count: int) -> list[tuple[int, int]]:
        """Once so many have."""
        self.until(lambda: len(self.said("begins")) >= count)
        return self.said("begins")

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not holds():
            assert time.monotonic() < deadline, self.log
            time.sleep(0.01)  # why: other processes write what is looked at

    def end(self) -> int:
        """As SIGTERM does it; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WITHIN_S)


@contextmanager
def supervised(directory: Path, count: int, how: str = "well") -> Iterator[Supervised]:
    log = directory / "log"
    with running((str(count), how), log, "announced", {"PYTHONPATH": str(ROOT)}, PROGRAM) as (process, _):
        yield Supervised(process, log)


def is_gone(pid: int) -> bool:
    """Or only waits for somebody to hear of its end, as an orphan may."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_first_is_ready_before_the_others_begin(tmp_path: Path) -> None:
    """Then all run; SIGTERM ends them all, with 0."""
    with supervised(tmp_path, 3) as these:
        assert these.log.index("begins 1") < these.log.index("announced")
        begun = these.begun(3)
        assert sorted(number for number, _ in begun) == [1, 2, 3]
        assert "begins" not in these.log[: these.log.index("announced")].replace("begins 1", "", 1)
        assert these.end() == 0, these.log
        assert sorted(these.said("ends")) == sorted(begun)
        assert "alone" not in these.log


def test_one_that_was_killed_is_replaced_at_its_place(tmp_path: Path) -> None:
    """By another with the same number; the others are left alone."""
    with supervised(tmp_path, 2) as these:
        before = dict(these.begun(2))
        os.kill(before[2], signal.SIGKILL)
        *_, (number, pid) = these.begun(3)
        assert (number, pid != before[2]) == (2, True)
        assert these.end() == 0, these.log
        assert sorted(these.said("ends")) == sorted([(1, before[1]), (2, pid)])


def test_one_that_dies_again_and_again_is_started_less_and_less_often(tmp_path: Path) -> None:
    """After 0.1 s, 0.2 s, 0.4 s and so on; the first goes on."""
    with supervised(tmp_path, 2, "dying") as these:
        begun = time.monotonic()
        these.begun(1 + 4)
        assert time.monotonic() - begun >= 0.1 + 0.2 + 0.4
        assert [number for number, _ in these.said("begins")].count(1) == 1


def test_a_first_that_never_gets_ready_ends_the_start(tmp_path: Path) -> None:
    """With its exit code, and without a second try."""
    with pytest.raises(NotReady, match="ended with 3"), supervised(tmp_path, 3, "unborn"):
        pass
    assert (tmp_path / "log").read_text().count("begins") == 1


def test_without_their_supervisor_they_end_by_themselves(tmp_path: Path) -> None:
    """Whatever happened to it."""
    with supervised(tmp_path, 3) as these:
        begun = these.begun(3)
        these.process.kill()
        these.process.wait(WITHIN_S)
        these.until(lambda: all(is_gone(pid) for _, pid in begun))
        assert sorted(these.said("ends")) == sorted(begun), these.log


def test_sighup_replaces_them_one_after_the_other(tmp_path: Path) -> None:
    """Each is told that the others stay, and the next is told when its successor is ready."""
    with supervised(tmp_path, 3) as these:
        before = these.begun(3)
        these.process.send_signal(signal.SIGHUP)
        these.begun(6)
        assert [number for number, _ in these.said("ends")] == [1, 2, 3]
        assert not {pid for _, pid in these.said("begins")[3:]} & {pid for _, pid in before}
        story = re.findall(r"^(ends|begins) (\d)", these.log, re.MULTILINE)[3:]
        assert story == [(what, number) for number in "123" for what in ("ends", "begins")]
        assert these.log.count("alone") == 3
        assert these.end() == 0, these.log


def test_a_second_signal_ends_all_at_once(tmp_path: Path) -> None:
    """Those that do not end by themselves are killed, and the supervisor ends as any process that is killed so."""
    with supervised(tmp_path, 2, "stubborn") as these:
        begun = these.begun(2)
        these.process.send_signal(signal.SIGTERM)
        these.until(lambda: signals_seen(these.process.pid) == 0)
        assert not any(is_gone(pid) for _, pid in begun)
        these.process.send_signal(signal.SIGTERM)
        assert these.process.wait(WITHIN_S) == -signal.SIGTERM
        assert all(is_gone(pid) for _, pid in begun)


def signals_seen(pid: int) -> int:
    """How many signals of it are still to be delivered."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^ShdPnd:\s*([0-9a-f]+)", status, re.MULTILINE)
    assert found is not None
    return int(found[1], 16)


def test_a_service_manager_may_tell_workers_too(tmp_path: Path) -> None:
    """SIGTERM for all processes, and a terminal's SIGINT, are one request to end, not several."""
    with supervised(tmp_path, 2) as these:
        begun = these.begun(2)
        for _, pid in begun:
            os.kill(pid, signal.SIGINT)
        assert these.said("ends") == []
        for pid in (*(pid for _, pid in begun), these.process.pid):
            os.kill(pid, signal.SIGTERM)
        assert these.process.wait(WITHIN_S) == 0, these.log
