"""Failed attempts to sign in, counted so that nobody can try passwords for long."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import RateLimited, Unavailable

WINDOW_S: Final = 900
OF_A_NAME: Final = 10
"""Failures within the window, for one user or key."""
OF_AN_ADDRESS: Final = 100
"""From one client address: several people may sit behind it."""
MOST_NAMES: Final = 10_000


class Attempts:
    """In the memory of this process."""

    def __init__(self, clock: Clock, of_a_name: int = OF_A_NAME) -> None:
        self._clock = clock
        self._of_a_name = of_a_name
        self._failures: dict[str, deque[int]] = {}

    @contextmanager
    def trying(self, name: str = "", address: str = "") -> Iterator[None]:
        """One attempt. It has failed from the beginning, so that many at once are no way round, until it ends without
        an error; where Headgate could not tell, it was none. Raises `RateLimited` as `count` does."""
        began = self.count(name, address)
        try:
            yield
        except Unavailable:
            self._take_back(began, _subjects(name, address))
            raise
        self._take_back(began, _subjects("", address))
        self._failures.pop(f"name {name}", None)

    def count(self, name: str = "", address: str = "") -> int:
        """One more failure of both. Raises `RateLimited` where one of them has failed too often, and counts nothing
        then. What is empty does not count."""
        self._refuse(name, address)
        now = self._clock.monotonic()
        for subject in _subjects(name, address):
            if subject not in self._failures and len(self._failures) >= MOST_NAMES:
                del self._failures[next(iter(self._failures))]
            self._failures.setdefault(subject, deque()).append(now)
        return now

    def _refuse(self, name: str, address: str) -> None:
        for subject in _subjects(name, address):
            most = self._of_a_name if subject.startswith("name ") else OF_AN_ADDRESS
            found = self._recent(subject)
            if found is not None and len(found) >= most:
                wait = (found[0] - self._since()) / NANOS_PER_SECOND
                raise RateLimited(
                    f"Too many attempts to sign in failed. Try again in {int(wait // 60) + 1} minutes.",
                    code="too_many_attempts",
                    retry_after=wait,
                )

    def _take_back(self, began: int, subjects: tuple[str, ...]) -> None:
        for subject in subjects:
            found = self._failures.get(subject, ())
            if began in found:
                self._failures[subject].remove(began)

    def _recent(self, subject: str) -> deque[int] | None:
        found = self._failures.get(subject)
        while found and found[0] <= self._since():
            found.popleft()
        if found is not None and not found:
            del self._failures[subject]
            return None
        return found

    def _since(self) -> int:
        return self._clock.monotonic() - WINDOW_S * NANOS_PER_SECOND


def _subjects(name: str, address: str) -> tuple[str, ...]:
    return (*([f"name {name}"] if name else ()), *([f"address {address}"] if address else ()))
