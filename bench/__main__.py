"""`python -m bench [--peers] [--quick] [name ...]`: the benchmarks of these names, or all of them.

`--peers`: beside the peers that a package brings. `--quick`: the short forms.
"""

import sys
from collections.abc import Callable
from typing import Final

from bench import (
    analytics,
    console,
    failover,
    fairness,
    latency,
    ledger,
    per_call,
    scale,
    streams,
    tenants,
    throughput,
    wire,
)
from bench.overspend import table as overspend

PEERS: Final = "--peers"
QUICK: Final = "--quick"
BENCHMARKS: Final[dict[str, Callable[[], int | None]]] = {
    "ledger": ledger.ledger,
    "wire": wire.run,
    "per_call": lambda: per_call.run(peers=PEERS in sys.argv, quick=QUICK in sys.argv),
    "latency": lambda: latency.run(peers=PEERS in sys.argv, quick=QUICK in sys.argv),
    "throughput": lambda: throughput.run(peers=PEERS in sys.argv, quick=QUICK in sys.argv),
    "streams": lambda: streams.run(peers=PEERS in sys.argv, quick=QUICK in sys.argv),
    "analytics": lambda: analytics.run(quick=QUICK in sys.argv),
    "console": lambda: console.run(quick=QUICK in sys.argv),
    "tenants": tenants.run,
    "fairness": lambda: fairness.run(quick=QUICK in sys.argv),
    "failover": lambda: failover.run(quick=QUICK in sys.argv),
    "scale": lambda: scale.run(quick=QUICK in sys.argv),
    "overspend": lambda: overspend.run(peers=PEERS in sys.argv),
}


def main(names: list[str]) -> int:
    """The exit code; 2 for a name that is not known, 1 where a benchmark found something wrong."""
    names = [name for name in names if name not in (PEERS, QUICK)]
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"There is no benchmark `{unknown[0]}`. Known: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    return max([BENCHMARKS[name]() or 0 for name in names or BENCHMARKS])


sys.exit(main(sys.argv[1:]))
