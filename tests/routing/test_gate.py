"""The gate before a provider's capacity, tried by chance: who is let through, who is next, and that nothing is lost."""

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from headgate.base.clock import NANOS_PER_SECOND
from headgate.routing.gate import Gate
from headgate.routing.place import LEAST, Place, TurnedAway, Why
from headgate.tenancy.capacity import Capacity
from tests.support.ledger import ManualClock

TENANTS = ("a", "b", "c")
SIZES = st.integers(1, 3_000)
S = NANOS_PER_SECOND


class Visit:
    """A call at a gate, with what it was told."""

    def __init__(self, gate: Gate, tenant: str, size: int, weight: int = 1) -> None:
        self.tenant, self.size, self.weight = tenant, size, weight
        self.told: list[TurnedAway | None] = []
        self.place: Place = gate.enter(tenant, weight, size, self.told.append)

    @property
    def through(self) -> bool:
        return self.place.taken is not None

    @property
    def waits(self) -> bool:
        return not self.through and not self.place.over


class Crowd(RuleBasedStateMachine):
    """Calls come, end at more or less than they asked for, and give up, while time passes and figures change."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.capacity = Capacity(
            max_concurrency=3, requests_per_minute=10, tokens_per_minute=5_000, max_waiting=6, max_waiting_per_tenant=3
        )
        self.gate = Gate(self.capacity, self.clock)
        self.visits: list[Visit] = []
        self.begun: list[tuple[int, Visit]] = []
        self.used: list[tuple[int, int]] = []
        """When calls that are over began, and what they came to."""

    def look(self) -> None:
        """Whoever went through just now began just now."""
        known = {id(visit) for _, visit in self.begun}
        now = self.clock.monotonic()
        self.begun += [(now, each) for each in self.visits if each.through and id(each) not in known]

    @rule(tenant=st.sampled_from(TENANTS), size=SIZES, weight=st.integers(1, 5))
    def comes(self, tenant: str, size: int, weight: int) -> None:
        own = sum(visit.waits for visit in self.visits if visit.tenant == tenant)
        waiting = sum(visit.waits for visit in self.visits)
        away = None
        try:
            self.visits.append(Visit(self.gate, tenant, size, weight))
        except TurnedAway as found:
            away = found
        self.look()
        assert away is None or away.retry_after >= 1
        assert away is None or away.why is not Why.WAITED
        assert away is None or away.why is not Why.TENANT_QUEUE or own >= self.capacity.max_waiting_per_tenant
        assert away is None or away.why is not Why.QUEUE or waiting >= self.capacity.max_waiting

    @precondition(lambda self: any(visit.through and not visit.place.over for visit in self.visits))
    @rule(data=st.data(), share=st.integers(0, 100), sent=st.booleans())
    def ends(self, data: st.DataObject, share: int, sent: bool) -> None:
        visit = data.draw(st.sampled_from([each for each in self.visits if each.through and not each.place.over]))
        used = visit.size * share // 100
        began = next(at for at, each in self.begun if each is visit)
        if sent:
            self.used.append((began, used))
        else:
            self.begun = [(at, each) for at, each in self.begun if each is not visit]
        self.visits.remove(visit)
        self.gate.end(visit.place, used if sent else None)
        self.gate.end(visit.place, 10**9)  # the second time does not count
        self.look()

    @precondition(lambda self: any(visit.waits for visit in self.visits))
    @rule(data=st.data())
    def gives_up(self, data: st.DataObject) -> None:
        visit = data.draw(st.sampled_from([each for each in self.visits if each.waits]))
        self.visits.remove(visit)
        self.gate.end(visit.place, None)
        assert visit.told == []
        self.look()

    @rule(seconds=st.sampled_from([0.1, 1, 7, 30, 61]))
    def time_passes(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        self.gate.advance()
        self.look()

    @rule(places=st.integers(1, 5))
    def is_configured(self, places: int) -> None:
        under_way = sum(visit.through for visit in self.visits)
        if places >= under_way:
            self.capacity = Capacity(places, 10, 5_000, max_waiting=6, max_waiting_per_tenant=3)
            self.gate.configure(self.capacity)
            self.look()

    @invariant()
    def never_above_capacity(self) -> None:
        """Under way, and in the minute that ends now: requests that began, tokens held or used."""
        now = self.clock.monotonic()
        live = [visit for visit in self.visits if visit.through]
        assert len(live) <= (self.capacity.max_concurrency or 0)
        assert sum(at > now - 60 * S for at, _ in self.begun) <= 10
        held = sum(min(visit.size, 5_000) for visit in live)
        assert held + sum(used for at, used in self.used if at > now - 60 * S) <= 5_000

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        """Either places, or a figure of the last minute stand in the way; then it is known when to look again."""
        waiting = [visit for visit in self.visits if visit.waits]
        assert self.gate.waiting == len(waiting) <= self.capacity.max_waiting
        assert max(Counter(visit.tenant for visit in waiting).values(), default=0) <= 3
        if waiting:
            full = sum(visit.through for visit in self.visits) >= (self.capacity.max_concurrency or 0)
            at = self.gate.changes_at()
            assert full or at is not None
            assert at is None or at > self.clock.monotonic()

    @invariant()
    def everybody_is_told_once(self) -> None:
        for visit in self.visits:
            assert len(visit.told) <= 1
            assert not visit.waits or visit.told == []

    def teardown(self) -> None:
        """All come through in the end, whoever else came meanwhile, and nothing is left."""
        for _ in range(10_000):
            live = [visit for visit in self.visits if visit.through and not visit.place.over]
            for visit in live:
                self.gate.end(visit.place, visit.size)
            if not any(visit.waits for visit in self.visits):
                break
            if (at := self.gate.changes_at()) is not None:
                self.clock.pass_ns(at - self.clock.monotonic())
            self.gate.advance()
        for visit in self.visits:
            self.gate.end(visit.place, visit.size)
        assert self.gate.idle
        assert self.gate.waiting == 0


Crowd.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCrowd = Crowd.TestCase


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_fair_within_one_call_of_each(data: st.DataObject) -> None:
    """Of any two tenants that wait all the while, what they were served differs, by weight, by no more than the largest
    call of each, at every moment, in whatever order calls end."""
    gate, names = Gate(Capacity(max_concurrency=4, max_waiting_per_tenant=5, max_waiting=100), ManualClock()), TENANTS
    weights = {name: data.draw(st.integers(1, 4), name) for name in names}
    sizes = {name: data.draw(st.integers(LEAST, 2_000), f"largest of {name}") for name in names}
    served: Counter[str] = Counter()
    queued: list[Visit] = []
    live: list[Visit] = [Visit(gate, "first", LEAST) for _ in range(4)]

    def refill() -> None:
        for name in names:
            while sum(each.tenant == name for each in queued) < 2:
                queued.append(Visit(gate, name, data.draw(st.integers(LEAST, sizes[name])), weights[name]))

    for _ in range(60):
        refill()
        ended = live.pop(data.draw(st.integers(0, len(live) - 1)))
        gate.end(ended.place, ended.size)
        for visit in [each for each in queued if each.through]:
            queued.remove(visit)
            live.append(visit)
            served[visit.tenant] += visit.size
        for one, other in itertools.combinations(names, 2):
            apart = abs(served[one] / weights[one] - served[other] / weights[other])
            assert apart <= sizes[one] / weights[one] + sizes[other] / weights[other] + 1


def test_weights_share_in_their_proportion() -> None:
    """A tenant of weight three is served three times as much."""
    gate = Gate(Capacity(max_concurrency=1, max_waiting_per_tenant=100), ManualClock())
    first = Visit(gate, "first", 500)
    visits = [Visit(gate, name, 500, weight) for name, weight in (("light", 1), ("heavy", 3)) for _ in range(80)]
    gate.end(first.place, 500)
    served: Counter[str] = Counter()
    for _ in range(40):
        (now,) = (visit for visit in visits if visit.through and not visit.place.over)
        served[now.tenant] += 1
        gate.end(now.place, 500)
    assert served == {"heavy": 30, "light": 10}


def test_what_was_taken_for_more_than_it_was_is_given_back() -> None:
    """Two tenants use the same; one says so, the other asks for thirty times as much each time: they take turns."""
    gate = Gate(Capacity(max_concurrency=1), ManualClock())
    first = Visit(gate, "first", 500)
    visits = [Visit(gate, name, size) for name, size in (("exact", 500), ("vague", 15_000)) for _ in range(40)]
    gate.end(first.place, 500)
    served: Counter[str] = Counter()
    for _ in range(40):
        (now,) = (visit for visit in visits if visit.through and not visit.place.over)
        served[now.tenant] += 1
        gate.end(now.place, 500)
    assert abs(served["exact"] - served["vague"]) <= 1


def test_who_comes_late_neither_pays_nor_is_owed() -> None:
    """A tenant that had all for itself, and one that comes then, are served in turns from there on."""
    gate = Gate(Capacity(max_concurrency=1), ManualClock())
    for _ in range(1_000):
        alone = Visit(gate, "early", 1_000)
        gate.end(alone.place, 1_000)
    now = Visit(gate, "early", 1_000)
    early = [Visit(gate, "early", 1_000) for _ in range(10)]
    late = [Visit(gate, "late", 1_000) for _ in range(10)]
    order = []
    while True:
        gate.end(now.place, 1_000)
        found = [visit for visit in early + late if visit.through and not visit.place.over]
        if not found:
            break
        (now,) = found
        order.append(now.tenant)
    assert order[:6] == ["early", "late"] * 3
    assert Counter(order) == {"early": 10, "late": 10}


def test_calls_that_fail_at_once_do_not_starve_others() -> None:
    """Nothing used is still a turn."""
    gate = Gate(Capacity(max_concurrency=1, max_waiting_per_tenant=100), ManualClock())
    now = Visit(gate, "failing", 1_000)
    failing = [Visit(gate, "failing", 1_000) for _ in range(90)]
    (other, second) = [Visit(gate, "other", 1_000) for _ in range(2)]
    turns = 0
    while not second.through:
        gate.end(now.place, 1_000 if now is other else 0)
        (now,) = (visit for visit in [*failing, other, second] if visit.through and not visit.place.over)
        turns += 1
    assert turns <= 1_000 // LEAST + 3


def test_a_full_queue_is_not_kept_by_those_who_filled_it() -> None:
    """Who has fewer waiting comes in; the last of whoever has the most is sent away."""
    capacity = Capacity(max_concurrency=1, max_waiting=6, max_waiting_per_tenant=5)
    gate = Gate(capacity, ManualClock())
    first = Visit(gate, "first", 100)
    greedy = [Visit(gate, "greedy", 100) for _ in range(5)]
    modest = [Visit(gate, "modest", 100) for _ in range(2)]
    assert [len(visit.told) for visit in greedy] == [0, 0, 0, 0, 1]
    (away,) = greedy[-1].told
    assert away is not None
    assert away.why is Why.QUEUE
    assert all(visit.waits for visit in modest)
    with pytest.raises(TurnedAway) as refused:
        Visit(gate, "greedy", 100)
    assert refused.value.why is Why.QUEUE
    gate.end(first.place, 100)
    assert modest[0].through or greedy[0].through


def test_who_cannot_be_served_in_time_does_not_wait() -> None:
    """The minute's requests are used up for longer than a call may wait: it is told when they are back, at once."""
    clock = ManualClock()
    gate = Gate(Capacity(requests_per_minute=2, max_wait_ms=10_000), clock)
    for _ in range(2):
        gate.end(Visit(gate, "a", 10).place, 10)
    with pytest.raises(TurnedAway) as refused:
        Visit(gate, "a", 10)
    assert refused.value.why is Why.TOO_LATE
    assert 55 < refused.value.retry_after <= 61
    clock.pass_s(55)
    waits = Visit(gate, "a", 10)
    assert waits.waits
    at = gate.changes_at()
    while at is not None:
        clock.pass_ns(at - clock.monotonic())
        gate.advance()
        at = gate.changes_at()
    assert waits.told == [None]
    assert clock.monotonic() <= (7_000 + 61) * S


def test_a_call_larger_than_a_minute_is_served_alone() -> None:
    """Its bound is more than there ever is: it waits until nothing else is taken, and then goes."""
    gate = Gate(Capacity(tokens_per_minute=1_000), ManualClock())
    small = Visit(gate, "a", 10)
    large = Visit(gate, "a", 50_000)
    assert large.waits
    gate.end(small.place, 0)
    assert large.through


def test_tenants_that_are_gone_are_forgotten() -> None:
    """However many have come by, memory holds those that are still owed or owing something."""
    gate = Gate(Capacity(max_concurrency=2), ManualClock())
    stays = Visit(gate, "stays", 100)
    for number in range(10_000):
        gate.end(Visit(gate, f"tenant{number}", 100).place, 100)
    assert len(gate._queue._flows) < 200
    gate.end(stays.place, 100)
    assert gate.idle
    assert not gate._queue._flows
