"""What a usage costs: whole nano-dollars, line by line, nothing guessed."""

from hypothesis import given
from hypothesis import strategies as st

from headgate.base import usage as meters
from headgate.base.usage import Usage
from headgate.catalog.price import PER, Price, Rates, cost_of

ALL = (*meters.INPUT_METERS, *meters.OUTPUT_METERS, meters.REQUEST, meters.WEB_SEARCH)


def price(rates: Rates, *tiers: tuple[int, Rates]) -> Price:
    return Price("p@1", "openai", "m", rates, tiers)


def test_special_tokens_cost_what_their_plain_kind_costs() -> None:
    """A cached, written or spoken token without a price of its own is billed as input; reasoning as output."""
    rates = Rates({meters.INPUT: 7, meters.OUTPUT: 11})
    assert {rates.rate(meter) for meter in meters.INPUT_METERS} == {7}
    assert {rates.rate(meter) for meter in meters.OUTPUT_METERS} == {11}
    assert rates.rate(meters.WEB_SEARCH) is None


def test_a_longer_cache_write_falls_back_step_by_step() -> None:
    """To the shorter write where that has a price, and not past it."""
    rates = Rates({meters.INPUT: 7, meters.CACHE_WRITE: 9})
    assert rates.rate(meters.CACHE_WRITE_1H) == 9


def test_a_known_unknown_stops_the_fallback() -> None:
    """Where a meter has a price that is not known, neither it nor what falls back through it is priced."""
    rates = Rates({meters.INPUT: 7}, frozenset({meters.INPUT_AUDIO}))
    assert rates.rate(meters.INPUT_AUDIO) is None
    assert rates.rate(meters.CACHE_READ_AUDIO) is None
    assert rates.rate(meters.INPUT_IMAGE) == 7


def test_meters_without_a_price_are_listed() -> None:
    """A used meter without a rate is named and adds no line; an unused one is not."""
    cost = cost_of(Usage({meters.INPUT: 3, "tool:oracle": 1, "tool:idle": 0}), price(Rates({meters.INPUT: PER})))
    assert (cost.nanos, cost.unpriced, cost.price_id) == (3, ("tool:oracle",), "p@1")


def test_each_line_is_rounded_up_once() -> None:
    """A third of a nano-dollar is one nano-dollar, once per line."""
    cost = cost_of(Usage({meters.INPUT: 1, meters.OUTPUT: 4}), price(Rates({meters.INPUT: 1, meters.OUTPUT: PER // 3})))
    assert [line.nanos for line in cost.lines] == [1, 2]


@given(
    st.dictionaries(st.sampled_from(ALL), st.integers(0, 10**14), min_size=1),
    st.dictionaries(st.sampled_from(ALL), st.integers(0, 2_000_000)),
)
def test_the_cost_is_the_sum_of_its_lines(rates: dict[str, int], counts: dict[str, int]) -> None:
    """For any rates and any usage, every used meter is either a line or listed, and the lines add up."""
    cost = cost_of(Usage(counts), price(Rates(rates)))
    assert cost.nanos == sum(line.nanos for line in cost.lines)
    assert all(line.nanos * PER >= line.count * line.rate > (line.nanos - 1) * PER for line in cost.lines if line.nanos)
    used = {meter for meter, count in counts.items() if count}
    if counts and meters.REQUEST in rates and meters.REQUEST not in counts:
        used.add(meters.REQUEST)  # where a request has a price, a call is one
    assert {line.meter for line in cost.lines} | set(cost.unpriced) == used
