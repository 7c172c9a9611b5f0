"""A capacity that is learned: from what is left by the provider's headers, and from its 429s."""

from headgate.base.clock import NANOS_PER_SECOND
from headgate.routing.learned import PAUSE, Learned
from headgate.routing.throughput import Taken
from headgate.wire.rate_limits import RateTold

S = NANOS_PER_SECOND
T = 7_000 * S


def sent(room: Learned, count: int, tokens: int = 100, now: int = T) -> list[Taken]:
    """So many calls, as many as fit."""
    return [room.take(tokens, now) for _ in range(count) if room.fits(tokens, now)]


def test_without_a_word_there_is_no_end() -> None:
    """Nothing is guessed."""
    assert len(sent(Learned(), 1_000)) == 1_000


def test_what_is_left_is_not_overdrawn() -> None:
    """Calls that were sent after the one that was answered are not in its figures yet."""
    room = Learned()
    first, *_ = sent(room, 3)
    room.answered(first, [RateTold("requests", 10, 6, 4)], T)
    assert len(sent(room, 100)) == 4


def test_it_comes_back_evenly() -> None:
    """Four are missing and back in four seconds: one each second; never more than the limit."""
    room = Learned()
    (first,) = sent(room, 1)
    room.answered(first, [RateTold("requests", 4, 0, 4)], T)
    assert not room.fits(100, T)
    assert room.changes_at(100, T) == T + S
    assert not room.fits(100, T + S - 1)
    assert len(sent(room, 9, now=T + S)) == 1
    assert len(sent(room, 9, now=T + 3 * S)) == 2
    assert len(sent(room, 9, now=T + 600 * S)) == 4


def test_tokens_count_as_many_as_a_call_may_use() -> None:
    """One that may use more than there ever is goes when all of it is there."""
    room = Learned()
    (first,) = sent(room, 1)
    room.answered(first, [RateTold("tokens", 1_000, 500, 10)], T)
    assert not room.fits(600, T)
    assert room.opens_at(600, T) == T + 2 * S
    assert room.opens_at(50_000, T) == T + 10 * S
    assert room.fits(50_000, T + 10 * S)


def test_a_429_closes_it_until_the_provider_says() -> None:
    """And for a second where it does not say; a minute at most."""
    for told, closed in ((5.0, 5 * S), (None, PAUSE), (3_600.0, 60 * S)):
        room = Learned()
        (first,) = sent(room, 1)
        room.throttled(first, told, T)
        assert not room.fits(100, T + closed - 1)
        room.give(first, 0, T)
        assert room.changes_at(100, T) == T + closed
        assert room.fits(100, T + closed)


def test_then_half_as_many_go_at_once_and_more_as_that_goes_well() -> None:
    """Eight calls that get a 429 each are one mistake, not eight."""
    room = Learned()
    calls = sent(room, 8)
    for each in calls:
        room.throttled(each, 1, T)
    for each in calls:
        room.give(each, 0, T)
    later = T + 2 * S
    wave = sent(room, 100, now=later)
    assert len(wave) == 4
    assert room.changes_at(100, later) is None, "only the end of a call makes room"
    for each in wave:
        room.answered(each, [], later)
    for each in wave:
        room.give(each, 100, later)
    assert len(sent(room, 100, now=later)) == 5


def test_what_comes_too_late_says_nothing() -> None:
    """The answer to a call that is over."""
    room = Learned()
    (first,) = sent(room, 1)
    room.give(first, None, T)
    room.answered(first, [RateTold("requests", 1, 0, 60)], T)
    assert len(sent(room, 5)) == 5
