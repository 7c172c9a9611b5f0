"""What goes on in this process at the moment: no table knows it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


def _none() -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Live:
    """Each is asked when a page is made. Of one process: others have their own."""

    calls: Callable[[], int] = _none
    """Under way."""
    streams: Callable[[], int] = _none
    """Of those, the ones that are answered piece by piece."""


IDLE: Final = Live()
