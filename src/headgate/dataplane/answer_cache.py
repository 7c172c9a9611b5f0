"""Answers that may be given again for the very same request, in memory: each until it is too old, or others need its
room."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from headgate.base.clock import NANOS_PER_SECOND, Clock

OVERHEAD: Final = 512
"""Bytes that an answer takes besides its own."""
LARGEST_SHARE: Final = 8
"""No answer takes more than one part in so many of the room."""
LARGEST: Final = 1024 * 1024


class Scope(NamedTuple):
    """Whose answers: nobody else ever gets them."""

    organization_id: str
    workspace_id: str
    tenant_id: str | None


@dataclass(frozen=True, slots=True)
class _Entry:
    scope: Scope
    body: bytes
    at: int
    """Monotonic, nanoseconds."""
    until: int


class AnswerCache:
    """Of one process. Names are digests that nobody can guess; they hold whose answer it is and all that was asked.

    At every moment the answers and what they take besides are within `max_bytes`; 0 keeps nothing.
    """

    def __init__(self, clock: Clock, max_bytes: int) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._entries: dict[bytes, _Entry] = {}
        """The one that was used last comes last."""
        self.size = 0
        self.purges = 0
        """How often some were to be forgotten. An answer to what was asked before that is not to be put here."""
        self.largest = min(LARGEST, max_bytes // LARGEST_SHARE)
        """Bytes of an answer that is kept."""

    def __len__(self) -> int:
        """How many answers there are."""
        return len(self._entries)

    def get(self, name: bytes, max_age_s: int) -> bytes | None:
        """The answer, if there is one that is younger, and younger than it was put here for."""
        entry, now = self._entries.get(name), self._clock.monotonic()
        if entry is None:
            return None
        if now >= entry.until:
            self._drop(name)
            return None
        if now - entry.at >= max_age_s * NANOS_PER_SECOND:
            return None
        self._entries[name] = self._entries.pop(name)
        return entry.body

    def put(self, name: bytes, scope: Scope, body: bytes, max_age_s: int) -> None:
        """In the place of the one before; those that nobody asked for longest make room."""
        if len(body) > self.largest:
            return
        self._drop(name)
        now = self._clock.monotonic()
        self._entries[name] = _Entry(scope, body, now, now + max_age_s * NANOS_PER_SECOND)
        self.size += len(body) + OVERHEAD
        while self.size > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def forget(self, organization_id: str, workspace_id: str | None, tenant_id: str | None) -> int:
        """Drop the organization's, or only those of its workspace or tenant that is named. How many there were."""
        self.purges += 1
        asked = (organization_id, workspace_id, tenant_id)
        gone = [name for name, entry in self._entries.items() if _within(entry.scope, asked)]
        for name in gone:
            self._drop(name)
        return len(gone)

    def clear(self) -> None:
        """Drop them all."""
        self.purges += 1
        self._entries.clear()
        self.size = 0

    def _drop(self, name: bytes) -> None:
        entry = self._entries.pop(name, None)
        if entry is not None:
            self.size -= len(entry.body) + OVERHEAD


def _within(scope: Scope, asked: tuple[str | None, ...]) -> bool:
    return all(wanted in (None, part) for part, wanted in zip(scope, asked, strict=True))
