"""Prices multiplied: in integers, rounded up, and said in the price's id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.base import usage as meters
from headgate.base.usage import Usage
from headgate.catalog.multiplier import PER_WHOLE, Multipliers, factor_of, unmultiplied
from headgate.catalog.price import Price, Rates, cost_of

ALL = (*meters.INPUT_METERS, *meters.OUTPUT_METERS, meters.REQUEST, meters.WEB_SEARCH)
LONG = 200_000


def price(rates: dict[str, int], **more: object) -> Price:
    return Price("p@1", "openai", "m", Rates(rates), **more)  # type: ignore[arg-type]


@given(
    st.dictionaries(st.sampled_from(ALL), st.integers(0, 10**14), min_size=1),
    st.dictionaries(st.sampled_from(("default", *ALL)), st.integers(0, 1_000 * PER_WHOLE)),
    st.sampled_from(ALL),
)
def test_a_rate_is_the_price_times_the_factor_rounded_up(
    rates: dict[str, int], factors: dict[str, int], meter: str
) -> None:
    """For every meter that has a price of its own: never less, and less than one nano-dollar per million more."""
    made = Multipliers(factors).of(price(rates)).rates.by_meter
    if meter in rates:
        exact = rates[meter] * factors.get(meter, factors.get("default", PER_WHOLE))
        assert 0 <= made[meter] * PER_WHOLE - exact < PER_WHOLE


def test_tiers_and_other_terms_are_multiplied_too() -> None:
    """A long call and a flexible one get the same discount."""
    flex = price({meters.INPUT: 500})
    listed = price({meters.INPUT: 1_000}, tiers=((LONG, Rates({meters.INPUT: 2_000})),), variants={"flex": flex})
    made = Multipliers({"default": 800_000}).of(listed)
    assert made.rates_at(1).rate(meters.INPUT) == 800
    assert made.rates_at(LONG + 1).rate(meters.INPUT) == 1_600
    terms = made.under("flex")
    assert terms is not None
    assert terms.rates.rate(meters.INPUT) == 400


def test_a_meter_that_is_billed_as_its_plain_kind_can_have_a_factor_of_its_own() -> None:
    """Reasoning without a price costs what output costs; a factor for it makes it a price of its own."""
    made = Multipliers({meters.REASONING: 2 * PER_WHOLE}).of(price({meters.OUTPUT: 30}))
    assert (made.rates.rate(meters.OUTPUT), made.rates.rate(meters.REASONING)) == (30, 60)
    unknown = Multipliers({meters.WEB_SEARCH: 2 * PER_WHOLE}).of(price({meters.OUTPUT: 30}))
    assert unknown.rates.rate(meters.WEB_SEARCH) is None


def test_the_same_price_gives_the_same_object() -> None:
    """What is kept beside a price is found again."""
    multipliers, listed = Multipliers({"default": 2 * PER_WHOLE}), price({meters.INPUT: 1})
    assert multipliers.of(listed) is multipliers.of(listed)


@pytest.mark.parametrize("price_id", ["openai/gpt-4o@2024-08-06", "custom:int_1:odd*name=1@17"])
def test_a_record_tells_by_what_its_price_was_multiplied(price_id: str) -> None:
    """The id leads to the listed price and to the factor of each meter."""
    listed = Price(price_id, "openai", "m", Rates({meters.INPUT: 10, meters.OUTPUT: 10}))
    made = Multipliers({"default": 1_200_000, meters.OUTPUT: 500_000}).of(listed)
    charged = cost_of(Usage({meters.INPUT: 1, meters.OUTPUT: 1}), made)
    assert unmultiplied(charged.price_id) == (price_id, "default=1.2,output=0.5")
    factors = unmultiplied(charged.price_id)[1]
    assert [factor_of(factors, meter) for meter in (meters.INPUT, meters.OUTPUT)] == ["1.2", "0.5"]
    assert unmultiplied("openai/gpt-4o@1") == ("openai/gpt-4o@1", "")
