"""One call at the gate before a provider: it waits, is let through, and is over."""

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from headgate.routing.throughput import Taken

LEAST: Final = 100
"""Tokens that a call counts as at least: one that fails at once has had its turn all the same."""
SCALE: Final = 1_000_000
"""Virtual time is in so many parts of a token."""


class Why(StrEnum):
    """A call does not get a turn."""

    TENANT_QUEUE = "tenant_queue"
    """Too many of its tenant's wait."""
    QUEUE = "queue"
    """Too many wait."""
    TOO_LATE = "too_late"
    """There will be no room for it within the time it would wait."""
    WAITED = "waited"
    """It has waited for so long."""


class TurnedAway(Exception):
    """`retry_after` is seconds."""

    def __init__(self, why: Why, retry_after: float) -> None:
        super().__init__(why)
        self.why = why
        self.retry_after = retry_after


Told = Callable[[TurnedAway | None], None]
"""None: its turn has come."""


class Flow:
    """The calls of one tenant. `waiting` are served first come, first served; `tag` is `fair_queue`'s."""

    __slots__ = ("name", "tag", "under_way", "waiting")

    def __init__(self, name: str, tag: int) -> None:
        self.name = name
        self.tag = tag
        self.under_way = 0
        self.waiting: deque[Place] = deque()


class Place:
    """`size` is tokens, as many as the call may use. It is through once it has `taken` something."""

    __slots__ = ("charged", "flow", "over", "size", "taken", "tell", "weight")

    def __init__(self, flow: Flow, size: int, weight: int, tell: Told) -> None:
        self.flow = flow
        self.size = size
        self.weight = weight
        self.tell = tell
        self.taken: Taken | None = None
        self.over = False
        self.charged = False
        """Whether others waited when it was let through."""

    def cost(self, tokens: int) -> int:
        """So many tokens of it, in virtual time."""
        return max(tokens, LEAST) * SCALE // self.weight
