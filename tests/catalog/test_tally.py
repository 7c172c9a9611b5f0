"""Many calls together cost what they cost one by one."""

from headgate.base.usage import Usage
from headgate.catalog.price import Price, Rates, cost_of
from headgate.catalog.tally import Tally

PRICE = Price(
    "p",
    "openai",
    "m",
    Rates({"input": 1_000_000, "output": 2_000_000, "request": 5_000_000}),
    tiers=((1_000, Rates({"input": 3_000_000, "output": 4_000_000})),),
)


def test_each_call_is_priced_by_its_own_input() -> None:
    """The tiers are those of each call, not of all together; each is one request where requests have a price."""
    calls = [Usage({"input": 600, "output": 10}), Usage({"input": 700}), Usage({"input": 2_000, "output": 1})]
    tally = Tally(PRICE)
    for call in calls:
        tally.add(call)
    cost = tally.cost()
    assert cost.nanos == sum(cost_of(call, PRICE).nanos for call in calls) == sum(line.nanos for line in cost.lines)
    assert tally.counts == {"input": 3_300, "output": 11, "request": 2}


def test_what_has_no_price_is_told() -> None:
    """Never silently free."""
    tally = Tally(None)
    tally.add(Usage({"input": 5}))
    assert (tally.cost().nanos, tally.cost().unpriced, tally.counts) == (0, ("input",), {"input": 5})
