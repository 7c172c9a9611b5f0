"""A small language for what a ledger does: one line per step, `->` before what must come of it.

    allowance NAME RESOURCE WINDOW CAP    WINDOW: 60s, day, week, month, 3days, lifetime; again: another cap
    hold ID AMOUNTS [on NAME,NAME]        -> held | denied NAME left=N exhausted|waiting retry=SECONDS|never
    extend ID AMOUNTS                     -> held | denied ...
    settle ID AMOUNTS                     -> settled | overage=N | already | unknown
    void ID                               -> settled | already | unknown
    balance NAME                          -> used=N held=N left=N [resets=SECONDS|never]
    wait SECONDS | set-clock SECONDS | reset NAME

AMOUNTS are `cost=`, `in=` and `out=`; a call is one request. Without `on` all allowances apply.
"""

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import LIFETIME, Allowance, Amounts, Resource, Window, WindowKind
from headgate.ledger.hold import AlreadySettled, Denied, Held, Settled, UnknownHold
from headgate.ledger.ledger import LocalLedger
from tests.support.ledger import KeptEntries, ManualClock, allowance, record


class Scenario:
    """Runs lines and holds each to what it says."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.ledger = LocalLedger(self.clock, KeptEntries())
        self.allowances: dict[str, Allowance] = {}

    def run(self, script: str) -> None:
        for number, line in enumerate(script.splitlines(), 1):
            step, _, expected = line.partition("#")[0].partition("->")
            if step.strip():
                came = self._step(step.split())
                assert came == " ".join(expected.split()), f"line {number}: {line.strip()}\n  came: {came}"

    def _step(self, words: list[str]) -> str:
        verb, name, *rest = words
        match verb:
            case "allowance":
                resource, window, cap = rest
                self.allowances[name] = allowance(name, Resource(resource), int(cap), window_of(window))
            case "hold":
                on = rest[rest.index("on") + 1].split(",") if "on" in rest else list(self.allowances)
                rest = rest[: rest.index("on")] if "on" in rest else rest
                applying = [self.allowances[each] for each in on]
                return told(self.ledger.hold(name, applying, amounts(rest)))
            case "extend":
                return told(self.ledger.extend(name, amounts(rest)))
            case "settle" | "void":
                return self._resolve(verb, name, rest)
            case "balance":
                return self._balance(name, rest)
            case "wait":
                self.clock.pass_s(float(name))
            case "set-clock":
                self.clock.jump_s(float(name))
            case "reset":
                self.ledger.reset(name)
            case _:
                raise AssertionError(f"no such step: {verb}")
        return ""

    def _resolve(self, verb: str, name: str, rest: list[str]) -> str:
        try:
            if verb == "void":
                return told(self.ledger.void(name))
            return told(self.ledger.settle(name, amounts(rest), record(name)))
        except UnknownHold:
            return "unknown"

    def _balance(self, name: str, rest: list[str]) -> str:
        [balance] = self.ledger.balances([self.allowances[name]])
        figures = f"used={balance.used} held={balance.held} left={balance.left}"
        if "resets" not in rest:
            return figures
        return f"{figures} resets={seconds(balance.resets_at, self.clock.now())}"


def told(result: Held | Denied | Settled | AlreadySettled) -> str:
    match result:
        case Held():
            return "held"
        case Settled(overage=overage):
            return f"overage={overage}" if overage else "settled"
        case AlreadySettled():
            return "already"
        case Denied():
            retry = "never" if result.retry_after is None else f"{result.retry_after:.12g}"
            kind = "exhausted" if result.exhausted else "waiting"
            return f"denied {result.allowance.id} left={result.left} {kind} retry={retry}"


def amounts(words: list[str]) -> Amounts:
    given = dict(word.split("=") for word in words)
    names = {"in": "input_tokens", "out": "output_tokens", "cost": "cost"}
    return Amounts(**{names[key]: int(value) for key, value in given.items()})


def window_of(text: str) -> Window:
    if text == "lifetime":
        return LIFETIME
    if text in ("day", "week", "month"):
        return Window(WindowKind.CALENDAR, unit=text)
    if text.endswith("days"):
        return Window(WindowKind.EVERY_DAYS, days=int(text.removesuffix("days")), anchor=ManualClock().now())
    return Window(WindowKind.SLIDING, seconds=int(text.removesuffix("s")))


def seconds(moment: int | None, now: int) -> str:
    return "never" if moment is None else f"{(moment - now) / NANOS_PER_SECOND:.12g}"
