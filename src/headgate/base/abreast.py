"""How calls keep step with each other on the event loop."""

import types
from collections.abc import Generator


@types.coroutine
def abreast() -> Generator[None]:
    """Let every other task that is due come as far as it can, then go on.

    Calls that come together so take each step one after the other, and the code and the data of a step are fetched into
    the processor's caches once for all of them: that saves more than it costs. See docs/decisions/0007.
    """
    yield
