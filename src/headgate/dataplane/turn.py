"""A request's turn on its connection: answered one after the other, in the order they came."""

from collections.abc import Coroutine
from typing import Any, Final, Protocol

HIGH_WATER: Final = 64 * 1024
"""Bytes of a body that wait for somebody to read it before the client is made to wait."""


class Turn(Protocol):
    """A request and the answer to it, as the connection sees them."""

    keep_alive: bool
    """Whether another request may follow on the connection."""

    @property
    def whole(self) -> bool:
        """The request has arrived, its body included."""
        ...

    @property
    def started(self) -> bool:
        """Something of the answer has been sent."""
        ...

    @property
    def complete(self) -> bool:
        """The answer has been sent."""
        ...

    @property
    def gone(self) -> bool:
        """There is nobody to answer any more."""
        ...

    def run(self) -> Coroutine[Any, Any, None]:
        """Answer it: its turn has come."""
        ...

    def feed(self, data: bytes) -> None:
        """A part of its body."""
        ...

    def arrived(self) -> None:
        """It is whole."""
        ...

    def hang_up(self) -> None:
        """There is nobody to answer any more."""
        ...
