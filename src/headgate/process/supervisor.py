"""A process that does no work itself: it starts workers, replaces those that end, and ends them all.

Workers are forked: a successor is there within milliseconds, and what the start has made is in memory once. uvicorn's
own supervisor was not enough; docs/decisions/0019-workers.md says why.
"""

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from headgate.process.signals import STOP_SIGNALS

log = structlog.get_logger("headgate.process")

GRACE_S: Final = 30.0
"""What a worker may take beyond its drain deadline, to write down what is left."""
LIVED_S: Final = 10.0
"""A worker that took calls for so long is replaced at once; one that did not, after a pause that doubles."""
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 30.0
_WATCHED: Final = (*STOP_SIGNALS, signal.SIGHUP, signal.SIGCHLD)


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker knows of its supervisor. `number` counts from 1. `lifeline` is at its end, and can so be read, once
    the supervisor is gone. `ready` is to be called when it takes calls."""

    number: int
    lifeline: int
    ready: Callable[[], None]


Work = Callable[[Place], int]
"""Runs in a process of its own; its exit code. It ends after SIGTERM, and after SIGHUP, which only says: make room."""


@dataclass(slots=True)
class _Worker:
    number: int
    pid: int = 0
    ready_at: float | None = None
    fast_deaths: int = 0
    start_at: float | None = None
    """When it is to be started; None while it runs, or must wait."""


class Supervisor:
    """`count` workers, of which the first is ready before the others are started. `on_ready` is called then.

    SIGTERM or SIGINT ends them, with `deadline_s` to do so; a second one kills them, which loses nothing. SIGHUP
    replaces them one after the other.
    """

    def __init__(self, count: int, work: Work, deadline_s: float, on_ready: Callable[[], None]) -> None:
        self._work = work
        self._deadline_s = deadline_s
        self._on_ready = on_ready
        self._workers = [_Worker(number) for number in range(1, count + 1)]
        self._announced = False
        self._to_replace: list[_Worker] = []
        self._stopping: float | None = None
        """When those still there are killed."""
        self._stop_signals: list[int] = []
        self._code = 0

    def run(self) -> int:
        """The exit code: 0 if every worker ended as it was asked to, that of the first if it never got ready."""
        self._signals, wakeup = _pipe()
        self._readiness, self._tell_ready = _pipe()
        self._lifeline, self._held = os.pipe()
        before = {number: signal.signal(number, lambda *_: None) for number in _WATCHED}
        old_wakeup = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        try:
            self._workers[0].start_at = time.monotonic()
            while self._stopping is None or any(each.pid for each in self._workers):
                self._start_what_is_due()
                self._wait()
                self._kill_what_is_late()
        finally:
            signal.set_wakeup_fd(old_wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            for descriptor in (self._signals, wakeup, self._readiness, self._tell_ready, self._lifeline, self._held):
                os.close(descriptor)
        if len(self._stop_signals) > 1:
            signal.signal(self._stop_signals[-1], signal.SIG_DFL)
            os.kill(os.getpid(), self._stop_signals[-1])
        return self._code

    # -- what happens -----------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        times = [each.start_at for each in self._workers if each.start_at is not None]
        if self._stopping is not None:
            times = [self._stopping]
        timeout = max(min(times) - time.monotonic(), 0) if times else None
        readable, _, _ = select.select([self._signals, self._readiness], [], [], timeout)
        if self._readiness in readable:
            for number in os.read(self._readiness, 4096):
                self._is_ready(self._workers[number])
        if self._signals in readable:
            for number in os.read(self._signals, 4096):
                self._signalled(number)
            self._reap()

    def _signalled(self, number: int) -> None:
        if number == signal.SIGHUP and self._stopping is None:
            log.info("replacing workers")
            self._to_replace = [each for each in self._workers if each.pid]
            self._replace_next()
        if number in STOP_SIGNALS:
            self._stop_signals.append(number)
            if self._stopping is None:
                self._stop()
                self._send(signal.SIGTERM)
            else:
                self._send(signal.SIGKILL)

    def _is_ready(self, worker: _Worker) -> None:
        worker.ready_at = time.monotonic()
        log.info("worker is ready", worker=worker.number, pid=worker.pid)
        if not self._announced and self._stopping is None:
            self._announced = True
            self._on_ready()
            for each in self._workers[1:]:
                each.start_at = worker.ready_at
        self._replace_next()

    def _reap(self) -> None:
        for worker in self._workers:
            if worker.pid:
                pid, status = os.waitpid(worker.pid, os.WNOHANG)
                if pid:
                    self._ended(worker, os.waitstatus_to_exitcode(status))

    def _ended(self, worker: _Worker, code: int) -> None:
        now = time.monotonic()
        lived = code == 0 or (worker.ready_at is not None and now - worker.ready_at >= LIVED_S)
        worker.pid, worker.ready_at = 0, None
        if self._stopping is not None:
            # By the signal itself ends who had not begun to listen to it, nor to anybody else.
            self._code = self._code or int(code not in (0, -signal.SIGTERM))
        elif not self._announced:
            self._stop()
            self._code = code if code > 0 else 1
        else:
            worker.fast_deaths = 0 if lived else worker.fast_deaths + 1
            pause = 0.0 if lived else min(FIRST_PAUSE_S * 2 ** (worker.fast_deaths - 1), LONGEST_PAUSE_S)
            worker.start_at = now + pause
            say = log.info if code == 0 else log.error
            say("worker ended", worker=worker.number, code=code, again_in_s=pause)

    # -- what is done -----------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        self._stopping = time.monotonic() + self._deadline_s + GRACE_S
        self._to_replace = []
        for each in self._workers:
            each.start_at = None

    def _kill_what_is_late(self) -> None:
        if self._stopping is not None and time.monotonic() >= self._stopping:
            log.error("workers do not end, and are killed")
            self._stopping += GRACE_S
            self._send(signal.SIGKILL)

    def _replace_next(self) -> None:
        """One at a time: the next makes room when all others take calls."""
        if self._to_replace and all(each.ready_at is not None for each in self._workers):
            worker = self._to_replace.pop(0)
            worker.ready_at = None
            os.kill(worker.pid, signal.SIGHUP)

    def _send(self, number: int) -> None:
        for each in self._workers:
            if each.pid:
                os.kill(each.pid, number)

    def _start_what_is_due(self) -> None:
        for worker in self._workers:
            if worker.start_at is not None and worker.start_at <= time.monotonic():
                worker.start_at = None
                worker.pid = self._fork(worker)

    def _fork(self, worker: _Worker) -> int:
        """Signals wait until the child has its own hands on them: they would be taken for the supervisor's."""
        sys.stdout.flush()
        sys.stderr.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        if pid := os.fork():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
            return pid
        code = 1
        try:
            code = self._be(worker)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # nothing of the supervisor's own is ended here, above all not its lock

    def _be(self, worker: _Worker) -> int:
        signal.set_wakeup_fd(-1)
        for number in _WATCHED:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's is for the supervisor, which passes it on
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        os.close(self._held)
        place = worker.number - 1
        return self._work(Place(worker.number, self._lifeline, lambda: _tell(self._tell_ready, place)))


def _pipe() -> tuple[int, int]:
    """Neither end ever waits."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _tell(descriptor: int, place: int) -> None:
    os.write(descriptor, bytes((place,)))
