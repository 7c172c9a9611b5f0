"""The memory of answers: what is in it, for how long, and within which bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from headgate.dataplane.answer_cache import OVERHEAD, AnswerCache, Scope
from headgate.dataplane.recall import digest_of
from tests.support.ledger import ManualClock

ACME = Scope("org", "ws", "acme")
ROOM = 64 * 1024


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def answers(clock: ManualClock) -> AnswerCache:
    return AnswerCache(clock, ROOM)


def test_an_answer_is_there_until_it_is_too_old(answers: AnswerCache, clock: ManualClock) -> None:
    """For whoever asks, and for longer than it was put there for by nobody; a wall clock that jumps changes nothing."""
    answers.put(b"a", ACME, b"body", max_age_s=60)
    clock.pass_s(30)
    clock.jump_s(86_400)
    assert answers.get(b"a", 60) == b"body"
    assert answers.get(b"a", 30) is None
    assert answers.get(b"a", 60) == b"body"
    clock.pass_s(30)
    assert answers.get(b"a", 3600) is None
    assert (len(answers), answers.size) == (0, 0)


def test_what_was_used_longest_ago_makes_room(answers: AnswerCache) -> None:
    """By bytes, not by number; an answer that was given again counts as used."""
    size = answers.largest - OVERHEAD
    for number in range(8):
        answers.put(b"%d" % number, ACME, bytes(size), 60)
    assert answers.get(b"0", 60) is not None
    answers.put(b"8", ACME, bytes(size), 60)
    assert answers.get(b"1", 60) is None
    assert answers.get(b"0", 60) is not None
    assert answers.size <= ROOM


def test_an_answer_takes_the_place_of_the_one_before(answers: AnswerCache) -> None:
    """And of its bytes."""
    answers.put(b"a", ACME, b"x" * 1000, 60)
    answers.put(b"a", ACME, b"y", 60)
    assert (answers.get(b"a", 60), answers.size, len(answers)) == (b"y", 1 + OVERHEAD, 1)


def test_what_is_too_large_is_not_kept(answers: AnswerCache) -> None:
    """One answer cannot push out all others."""
    answers.put(b"a", ACME, bytes(answers.largest + 1), 60)
    assert len(answers) == 0


def test_without_room_nothing_is_kept(clock: ManualClock) -> None:
    """That is how the cache is turned off."""
    nothing = AnswerCache(clock, 0)
    nothing.put(b"a", ACME, b"x", 60)
    assert (len(nothing), nothing.size, nothing.largest) == (0, 0, 0)


@given(
    some.lists(
        some.tuples(some.sampled_from([b"a", b"b", b"c", b"d"]), some.integers(0, 9_000), some.integers(1, 90)),
        max_size=60,
    )
)
def test_the_bounds_hold_at_every_moment(steps: list[tuple[bytes, int, int]]) -> None:
    """Whatever comes in which order, the size is the sum of what is there, and within the room."""
    clock = ManualClock()
    answers, last = AnswerCache(clock, ROOM), dict[bytes, bytes]()
    for name, size, seconds in steps:
        body = bytes([size % 251]) * size
        answers.put(name, ACME, body, seconds)
        if size <= answers.largest:
            last[name] = body
        clock.pass_s(1)
        found = answers.get(name, 3600)
        assert found in (None, last.get(name))
        assert answers.size <= ROOM
    answers.forget("org", None, None)
    assert (answers.size, len(answers)) == (0, 0)


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        (("org", "ws", "acme"), {b"2", b"3", b"4"}),
        (("org", "ws", None), {b"3", b"4"}),
        (("org", None, None), {b"4"}),
        (("org", "ws", "nobody"), {b"1", b"2", b"3", b"4"}),
    ],
    ids=["tenant", "workspace", "organization", "nobody"],
)
def test_only_what_is_named_is_forgotten(
    answers: AnswerCache, asked: tuple[str, str | None, str | None], left: set[bytes]
) -> None:
    """A tenant's, a workspace's with all its tenants', an organization's; never another's."""
    scopes = [ACME, Scope("org", "ws", None), Scope("org", "else", "acme"), Scope("other", "ws", "acme")]
    for number, scope in enumerate(scopes, 1):
        answers.put(b"%d" % number, scope, b"x", 60)
    assert answers.forget(*asked) == 4 - len(left)
    assert {name for name in (b"1", b"2", b"3", b"4") if answers.get(name, 60)} == left


PARTS = some.lists(some.binary(max_size=4) | some.sampled_from([b"", b"1", b"1:", b":", b"2:ab"]), max_size=5)


@given(PARTS, PARTS)
def test_no_two_lists_of_parts_have_one_name(one: list[bytes], other: list[bytes]) -> None:
    """Not where the same bytes stand in other parts: nobody can make his request look like another's."""
    assert (digest_of(b"key", one) == digest_of(b"key", other)) == (one == other)


def test_a_name_needs_the_key_of_the_installation() -> None:
    """Who knows a request cannot tell its name."""
    assert digest_of(b"key", [b"a"]) != digest_of(b"yek", [b"a"])
