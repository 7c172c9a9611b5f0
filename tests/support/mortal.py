"""A gateway that is killed and started again on what it left, before a simulator that lives on."""

import os
import re
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from headgate.tenancy import keys
from tests.support.gateway import ADDRESS, Gateway
from tests.support.processes import HEADGATE, running

ROOT: Final = Path(__file__).parent.parent.parent
QUIET_WITHIN_S = 20.0


class Mortal:
    """`gateway` is the one that lives now; data directory, admin key and simulator with its journal stay. `environment`
    is that of the lives to come."""

    def __init__(self, directory: Path, simulator: str, environment: Mapping[str, str], journal: Path) -> None:
        self._directory = directory
        self._simulator = simulator
        self._journal = journal
        self._admin_key = keys.mint(os.urandom(keys.PEPPER_BYTES)).text
        self.environment = {"HEADGATE_ADMIN_KEY": self._admin_key, "PYTHONPATH": str(ROOT), **environment}
        self._life = ExitStack()
        self._number = 0

    def start(self, program: Sequence[str] = HEADGATE) -> float:
        """Begins the next life; the seconds until it took calls."""
        self._number += 1
        self.log = self._directory / f"gateway-{self._number}.log"
        data_dir = self._directory / "data"
        arguments = ("serve", "--port", "0", "--data-dir", data_dir)
        begun = time.monotonic()
        process, address = self._life.enter_context(running(arguments, self.log, ADDRESS, self.environment, program))
        self.gateway = Gateway(address[1], data_dir, self._admin_key, process, self._simulator, self._journal)
        return time.monotonic() - begun

    def kill(self) -> None:
        """SIGKILL, now."""
        self.gateway.process.send_signal(signal.SIGKILL)
        self.dead()

    def dead(self) -> None:
        """Returns once it has been killed."""
        code = self.gateway.process.wait(QUIET_WITHIN_S)
        assert code == -signal.SIGKILL, f"it ended with {code}:\n{self.log.read_text()[-2000:]}"
        self._life.close()

    def ready_workers(self) -> list[tuple[int, int]]:
        """Number and process id of workers, in the order in which they got ready."""
        found = re.findall(r'"worker": (\d+), "pid": (\d+), "event": "worker is ready"', self.log.read_text())
        return [(int(number), int(pid)) for number, pid in found]

    def wait_for_workers(self, count: int) -> None:
        """Until so many have got ready in this life, successors included."""
        deadline = time.monotonic() + QUIET_WITHIN_S
        while len(self.ready_workers()) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"not {count} workers:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)  # why: other processes write what is looked at

    def end(self) -> None:
        """An orderly end."""
        self._life.close()

    def quiet(self) -> None:
        """Waits until the simulator has ended every call it began."""
        deadline = time.monotonic() + QUIET_WITHIN_S
        while any(call.billed is None for call in self.gateway.upstream_calls()):
            if time.monotonic() > deadline:
                raise AssertionError("the simulator still answers somebody")
            time.sleep(0.02)  # why: another process writes what is looked at


@contextmanager
def mortal(directory: Path, environment: Mapping[str, str]) -> Iterator[Mortal]:
    """The simulator runs; no gateway yet."""
    journal = directory / "simulator.journal"
    simulate = ("simulate", "--port", "0", "--journal", journal)
    with running(simulate, directory / "simulator.log", ADDRESS) as (_, address):
        made = Mortal(directory, address[1], environment, journal)
        try:
            yield made
        finally:
            made.end()
