"""The truth a ledger is held to: calls and what they took, summed the slow and obvious way."""

from bisect import bisect_left
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

from headgate.ledger.allowance import Allowance, Amounts, Resource, WindowKind
from headgate.ledger.counters import counting_since
from headgate.ledger.period import period_of
from headgate.ledger.recovery import LONGEST_CALL_S

NOTHING = Amounts(requests=0)
LONGEST_CALL = LONGEST_CALL_S * 10**9


@dataclass
class Call:
    """One call that was let in, at `at`; `taken` is what it took when. A void call has used nothing.

    `restored`: a ledger may know of it from its usage record only, which does not say when a hold was extended.
    `joined`: allowances that were set while it was under way or over, and when: they may count it from then on.
    """

    at: int
    caps: dict[str, int]
    taken: list[tuple[int, Amounts]]
    sent: bool = False
    ended_at: int | None = None
    actual: Amounts = field(default=NOTHING)
    restored: bool = False
    joined: dict[str, int] = field(default_factory=dict)

    @property
    def under_way(self) -> bool:
        return self.ended_at is None

    def held(self) -> Amounts:
        _, first = self.taken[0]
        tokens_in, tokens_out, cost = (
            sum(getattr(amounts, name) for _, amounts in self.taken)
            for name in ("input_tokens", "output_tokens", "cost")
        )
        return Amounts(first.requests, tokens_in, tokens_out, cost)

    def end(self, actual: Amounts, at: int) -> None:
        self.actual, self.ended_at = actual, at

    def used(self, resource: Resource) -> list[tuple[int, int]]:
        """When what was used counts from: it fills what was taken from the bottom, and the rest counts from the end.

        One that was found long after its end took a day at most, whatever it still took after that.
        """
        assert self.ended_at is not None
        rest, used = self.actual.of(resource), []
        for at, amounts in self.taken:
            part = min(rest, amounts.of(resource))
            used.append((min(at, self.ended_at), part))
            rest -= part
        return [*used, (self.ended_at, rest)]


class Model:
    """Every call there was. Of a sliding window it knows the exact sum, and that of a window a sixtieth longer."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self._resets: dict[str, list[int]] = {}
        self._on_disk: dict[str, Call] = {}

    def reset(self, name: str, at: int) -> None:
        """Begin anew."""
        self._resets.setdefault(name, []).append(at)

    def flush(self) -> None:
        """What was decided until now survives a crash."""
        self._on_disk = deepcopy(self.calls)

    def written(self, names: list[str]) -> None:
        """Their usage records survive a crash, whatever the journal has of them."""
        for name in names:
            self._on_disk[name] = deepcopy(self.calls[name])

    def set_again(self, before: str, of: Allowance, belongs: Callable[[str], bool], now: int) -> None:
        """This allowance takes the place of one of `before`, with all the calls that `belongs` says are its owner's."""
        if before in self._resets:
            self._resets[of.id] = list(self._resets[before])
        for calls in (self.calls, self._on_disk):
            for name, call in calls.items():
                if belongs(name) and (not call.under_way or call.at >= counting_since(of, now)):
                    call.caps[of.id] = of.cap
                    call.joined[of.id] = now

    def crash(self, now: int) -> None:
        """What was sent and not settled is settled at what it held; what was not sent never was."""
        self.calls = deepcopy(self._on_disk)
        for call in self.calls.values():
            if call.under_way:
                call.end(call.held() if call.sent else NOTHING, min(now, call.at + LONGEST_CALL))
        self.reload()
        self.flush()

    def reload(self) -> None:
        """The ledger may have forgotten all but the usage records."""
        for call in self.calls.values():
            call.restored = not call.under_way

    def recorded(self) -> dict[str, int]:
        """Cost of every call that must have exactly one usage record."""
        return {
            name: call.actual.cost for name, call in self.calls.items() if not call.under_way and call.actual.requests
        }

    def bounds(self, of: Allowance, now: int, period_at: int | None = None) -> tuple[int, int]:
        """The least and the most that may count: settled and held, in the window at this moment."""
        calls = [call for call in self.calls.values() if of.id in call.caps]
        if of.resource is Resource.IN_FLIGHT:
            count = sum(call.under_way for call in calls)
            return count, count
        if of.window.kind is WindowKind.SLIDING:
            length = of.window.seconds * 10**9
            return self._sliding(calls, of, now - length), self._sliding(calls, of, now - length - length // 60, True)
        era = self._era(calls, of, now if period_at is None else period_at)
        total = sum((call.held() if call.under_way else call.actual).of(of.resource) for call in era)
        return total, total

    def held(self, of: Allowance, now: int) -> int:
        """What calls under way hold, in a window that is not sliding."""
        calls = [call for call in self.calls.values() if of.id in call.caps]
        return sum(call.held().of(of.resource) for call in self._era(calls, of, now) if call.under_way)

    def _era(self, calls: list[Call], of: Allowance, at: int) -> list[Call]:
        """The calls that were let in during the same period, between the same resets, as the moment lies in."""
        period, resets = period_of(of.window, at), self._resets.get(of.id, [])
        era = bisect_left(resets, at)
        return [call for call in calls if period.start <= call.at < period.end and bisect_left(resets, call.at) == era]

    def _sliding(self, calls: list[Call], of: Allowance, horizon: int, longest: bool = False) -> int:
        horizon = max(horizon, *self._resets.get(of.id, [0]))
        if of.resource is Resource.REQUESTS:
            moments = [max(call.at, call.joined.get(of.id, 0) if longest else 0) for call in calls]
            there = [call.under_way or call.actual.requests > 0 for call in calls]
            return sum(at > horizon and counts for at, counts in zip(moments, there, strict=True))
        total = sum(call.held().of(of.resource) for call in calls if call.under_way)
        for call in calls:
            if call.ended_at is not None and longest and (call.restored or of.id in call.joined):
                total += call.actual.of(of.resource) if call.ended_at > horizon else 0
            elif call.ended_at is not None:
                total += sum(used for at, used in call.used(of.resource) if at > horizon)
        return total
