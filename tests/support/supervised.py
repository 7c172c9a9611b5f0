"""Workers that do nothing, under the real supervisor: `python -m tests.support.supervised COUNT HOW`.

Each prints its number and process id when it begins and when it ends. HOW: `well`; `unborn`, the first ends before it
is ready; `dying`, the second dies as soon as it is; `stubborn`, none ends when it is asked to.
"""

import asyncio
import os
import signal
import sys

from headgate.process.signals import worker_stop_requested
from headgate.process.supervisor import Place, Supervisor

DEADLINE_S = 0.0


async def live(place: Place, how: str) -> int:
    stop = worker_stop_requested(place.lifeline)
    print(f"begins {place.number} {os.getpid()}", flush=True)
    if how == "unborn":
        return 3
    place.ready()
    if how == "dying" and place.number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    await stop.wait()
    if how == "stubborn":
        await asyncio.Event().wait()
    print(f"ends {place.number} {os.getpid()} {'alone' if stop.others_stay else 'with all'}", flush=True)
    return 0


def main(count: int, how: str) -> int:
    def work(place: Place) -> int:
        return asyncio.run(live(place, how))

    return Supervisor(count, work, DEADLINE_S, lambda: print("announced", flush=True)).run()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
