"""How targets are watched: ejection, rest, probe; and which of several a call goes to."""

from collections import Counter
from random import Random

from headgate.routing.balancer import Balancer
from headgate.routing.health import Health, HealthRules, TargetHealth
from tests.support.ledger import ManualClock

S = 1_000_000_000
RULES = HealthRules(in_a_row=3, least=10, share=0.5, rest_s=5, longest_rest_s=12)


def played(target: TargetHealth, now: int, good: bool | None, took: int = S) -> None:
    target.begin(now)
    target.end(now, good, took)


def test_failures_in_a_row_eject_a_target_and_one_probe_brings_it_back() -> None:
    """While it rests nobody is sent; then exactly one call tries, and its success ends it."""
    target = TargetHealth(RULES)
    for _ in range(3):
        assert target.admits(0)
        played(target, 0, good=False)
    assert not target.admits(4 * S)
    assert target.admits(5 * S)
    target.begin(5 * S)
    assert not target.admits(5 * S), "one probe at a time"
    target.end(5 * S, True, S)
    assert target.admits(5 * S)


def test_each_failed_probe_doubles_the_rest_up_to_a_bound() -> None:
    """A provider that is down for an hour is asked a few hundred times, not a few thousand."""
    target = TargetHealth(RULES)
    for _ in range(3):
        played(target, 0, good=False)
    now, rests = 0, []
    for _ in range(4):
        rests.append((target.available_at() - now) // S)
        now = target.available_at()
        played(target, now, good=False)
    assert rests == [5, 10, 12, 12]


def test_a_share_of_failures_ejects_without_any_row() -> None:
    """Every other call fails: no three in a row, and still not well."""
    target = TargetHealth(RULES)
    for turn in range(12):
        played(target, turn * S // 10, good=bool(turn % 2))
    assert not target.admits(2 * S)


def test_old_failures_are_forgotten() -> None:
    """Nine bad minutes ago do not count with one bad now."""
    target = TargetHealth(RULES)
    for turn in range(9):
        played(target, turn, good=bool(turn % 2))
    for turn in range(11):
        played(target, 600 * S + turn, good=turn % 4 > 0)
    assert target.admits(601 * S)


def test_a_provider_that_asks_for_a_pause_gets_it() -> None:
    """Its own word, bounded; and nothing is learned of its health by it."""
    target = TargetHealth(RULES)
    target.begin(0)
    target.end(0, None, wait_s=7)
    assert not target.admits(6 * S)
    assert target.admits(7 * S)
    target.end(7 * S, None, wait_s=100_000)
    assert target.available_at() == (7 + 60) * S


def test_load_is_latency_times_what_is_under_way_and_peaks_count_at_once() -> None:
    """A slow answer is felt with the next call, and forgotten slowly."""
    target = TargetHealth(RULES)
    played(target, 0, True, S)
    quick = target.load(0)
    played(target, 0, True, 10 * S)
    assert target.load(0) == 10 * quick
    target.begin(0)
    assert target.load(0) == 20 * quick
    assert quick < target.load(10 * S) < 20 * quick


def balancer(seed: int = 1) -> tuple[Balancer, Health, ManualClock]:
    clock = ManualClock()
    health = Health(clock, RULES)
    return Balancer(health, clock, Random(seed).random), health, clock


def test_shares_that_were_set_are_kept() -> None:
    """Whatever the latencies are: an administrator pays for a share."""
    balance, health, clock = balancer()
    played(health.of("a"), clock.monotonic(), True, 60 * S)
    found = Counter(balance.pick(["a", "b", "c"], [700, 300, 0]) for _ in range(10_000))
    assert found[2] == 0
    assert 6_800 < found[0] < 7_200


def test_equal_weights_go_to_the_better_of_two() -> None:
    """The slow one is used less than a third of the time, and the quick ones share evenly."""
    balance, health, clock = balancer()
    for name, took in (("slow", 10 * S), ("one", S), ("other", S)):
        played(health.of(name), clock.monotonic(), True, took)
    found = Counter(balance.pick(["slow", "one", "other"], [1, 1, 1]) for _ in range(3_000))
    assert found[0] == 0, "of any two, it is never the better one"
    assert found[1] > 0
    assert found[2] > 0


def test_an_ejected_target_is_left_out_and_all_of_them_are_not() -> None:
    """Where everybody is ejected, calls go on: a guess is better than none."""
    balance, health, clock = balancer()
    for _ in range(3):
        played(health.of("a"), clock.monotonic(), good=False)
    assert {balance.pick(["a", "b"], [9, 1]) for _ in range(100)} == {1}
    for _ in range(3):
        played(health.of("b"), clock.monotonic(), good=False)
    assert {balance.pick(["a", "b"], [1, 1]) for _ in range(100)} == {0, 1}


def test_the_same_user_stays_and_only_those_of_a_lost_target_move() -> None:
    """Rendezvous hashing, by weight."""
    balance, _, _ = balancer()
    users = [str(user).encode() for user in range(2_000)]
    before = {user: balance.pick(["a", "b", "c"], [2, 1, 1], user) for user in users}
    assert before == {user: balance.pick(["a", "b", "c"], [2, 1, 1], user) for user in users}
    assert 900 < sum(place == 0 for place in before.values()) < 1_100
    after = {user: balance.pick(["a", "b", "c"], [2, 0, 1], user) for user in users}
    assert all(after[user] == place for user, place in before.items() if place != 1)


def test_targets_at_rest_are_named_with_why_and_for_how_long() -> None:
    """One that failed, one whose provider asked for it; not one that is well."""
    clock = ManualClock()
    health = Health(clock, RULES)
    for _ in range(3):
        played(health.of(("int_1", "bad")), clock.monotonic(), good=False)
    played(health.of(("int_1", "good")), clock.monotonic(), good=True)
    asked = health.of(("int_2", "busy"))
    asked.begin(clock.monotonic())
    asked.end(clock.monotonic(), None, wait_s=7)
    found = {name: (why, wait // S) for name, why, wait in health.resting()}
    assert found == {
        ("int_1", "bad"): ("it failed again and again", 5),
        ("int_2", "busy"): ("its provider asked to be left alone", 7),
    }
