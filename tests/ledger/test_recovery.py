"""What a journal says after a crash: settled calls as they were, unfinished ones at what they held, once each."""

from headgate.ledger.allowance import Amounts
from headgate.ledger.journal import DispatchEntry, Entry, ExtendEntry, HoldEntry, SettleEntry, VoidEntry
from headgate.ledger.record import Outcome
from headgate.ledger.recovery import Replay
from tests.support.ledger import NOON, record

HELD = Amounts(input_tokens=100, output_tokens=50, cost=900)
HOLD = HoldEntry("a", NOON, HELD, ("budget",))
DISPATCH = DispatchEntry("a", record("a"))
SETTLE = SettleEntry("a", NOON, Amounts(cost=7), ("budget",), record("a", cost=7))


def replayed(*entries: Entry) -> Replay:
    replay = Replay()
    replay.add(entries)
    return replay


def test_a_settled_call_is_recorded_as_it_was_settled() -> None:
    """Whether the database has it already is the database's to say, by request id."""
    replay = replayed(HOLD, DISPATCH, SETTLE)
    assert replay.records(NOON) == [SETTLE.record]
    assert (replay.entries, replay.unfinished) == (3, {})


def test_a_call_that_was_sent_is_recovered_at_what_it_held() -> None:
    """Cost and tokens of the hold, marked as recovered and as an estimate; the rest as it was known."""
    [recovered] = replayed(HOLD, DISPATCH).records(NOON)
    assert (recovered.outcome, recovered.usage_source) == (Outcome.RECOVERED, "estimated")
    assert (recovered.cost, recovered.usage) == (900, {"input": 100, "output": 50})
    assert recovered.request_id == "a"
    assert recovered.started_at == record("a").started_at


def test_a_recovered_call_ended_when_it_was_found() -> None:
    """As far as anyone knows, but no call takes longer than a day; a wall clock that went back makes it no shorter."""
    [recovered] = replayed(HOLD, DISPATCH).records(NOON + 60 * 10**9)
    assert recovered.ended_after == 60 * 10**9
    [recovered] = replayed(HOLD, DISPATCH).records(NOON + 10**18)
    assert recovered.ended_after == 86_400 * 10**9
    [recovered] = replayed(HOLD, DISPATCH).records(NOON - 60 * 10**9)
    assert recovered.ended_after == record("a").ended_after


def test_an_extended_hold_is_recovered_at_its_sum() -> None:
    """The last extension says all that is held."""
    grown = Amounts(input_tokens=100, output_tokens=80, cost=1_200)
    [recovered] = replayed(HOLD, DISPATCH, ExtendEntry("a", Amounts(cost=1_000)), ExtendEntry("a", grown)).records(NOON)
    assert (recovered.cost, recovered.usage["output"]) == (1_200, 80)


def test_the_last_target_is_the_one_recorded() -> None:
    """A call that fell back to another provider was last sent there."""
    other = DispatchEntry("a", record("a", cost=1))
    assert len(replayed(HOLD, DISPATCH, other).records(NOON)) == 1
    assert replayed(HOLD, DISPATCH, other).unfinished["a"].unheard == other.unheard


def test_a_call_that_was_never_sent_cost_nothing() -> None:
    """No provider can have billed it: no record."""
    assert replayed(HOLD).records(NOON) == []


def test_a_voided_call_leaves_nothing() -> None:
    """Sent or not."""
    assert replayed(HOLD, DISPATCH, VoidEntry("a")).records(NOON) == []


def test_entries_that_come_twice_change_nothing() -> None:
    """A segment that was carried over and not deleted before a crash is read twice."""
    twice = replayed(
        HOLD, DISPATCH, ExtendEntry("a", Amounts(cost=950)), HOLD, DISPATCH, ExtendEntry("a", Amounts(cost=950))
    )
    assert [each.cost for each in twice.records(NOON)] == [950]
    assert replayed(HOLD, DISPATCH, HOLD, DISPATCH, SETTLE, SETTLE).records(NOON) == [SETTLE.record]


def test_a_call_without_its_hold_is_noticed() -> None:
    """Only a journal that lost a segment has one; after its settlement it does not matter."""
    assert replayed(DISPATCH).headless() == ["a"]
    assert replayed(DISPATCH, SETTLE).headless() == []
