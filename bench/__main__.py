"""`python -m bench [name ...]`: the benchmarks of these names, or all of them."""

import sys
from collections.abc import Callable
from typing import Final

from bench import ledger, per_call, wire

BENCHMARKS: Final[dict[str, Callable[[], None]]] = {
    "ledger": ledger.ledger,
    "wire": wire.run,
    "per_call": per_call.run,
}


def main(names: list[str]) -> int:
    """The exit code; 2 for a name that is not known."""
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"There is no benchmark `{unknown[0]}`. Known: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
