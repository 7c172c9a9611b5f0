"""SIGTERM and SIGINT: the first asks for an orderly end, the second ends the process at once."""

import asyncio
import signal
from typing import Final

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def stop_requested() -> asyncio.Event:
    """Set by the first signal from now on. After it the signals do again what they do to any process."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def on_first() -> None:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, on_first)
    return stop
