"""What asks a process to end: for one that is alone, and for a worker of several."""

import asyncio
import signal
from typing import Final

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Stop(asyncio.Event):
    """Set once an orderly end is asked for. `others_stay`: there are other workers, so that no new connection need come
    to this one, and who is refused by it need not be."""

    others_stay = False


def stop_requested() -> Stop:
    """Set by the first SIGTERM or SIGINT from now on. After it they do again what they do to any process: the second
    ends it at once."""
    loop, stop = asyncio.get_running_loop(), Stop()

    def on_first() -> None:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, on_first)
    return stop


def worker_stop_requested(lifeline: int) -> Stop:
    """Set by SIGTERM, by SIGHUP, which asks this worker only, and once nothing holds the other end of `lifeline`. More
    of them change nothing: a service manager may send them to all processes itself."""
    loop, stop = asyncio.get_running_loop(), Stop()

    def make_room() -> None:
        stop.others_stay = not stop.is_set()
        stop.set()

    def orphaned() -> None:
        loop.remove_reader(lifeline)
        stop.set()

    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGHUP, make_room)
    loop.add_reader(lifeline, orphaned)
    return stop
