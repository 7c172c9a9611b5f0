"""What a plan keeps for its calls."""

from headgate.ledger.allowance import Resource
from headgate.routing.plan import MOST_JOINED, Plan
from tests.support.ledger import allowance

OWN = (allowance("own", Resource.COST, 1),)


def test_allowances_of_policies_join_the_plans_as_one_tuple_for_all_calls() -> None:
    """The ledger knows the counters of a tuple by its identity: a new one for each call would have them found anew."""
    plan = Plan("model", (), OWN)
    first, other = (allowance("a", Resource.REQUESTS, 1),), (allowance("b", Resource.REQUESTS, 1),)
    assert plan.allowances_with(()) is plan.allowances
    assert plan.allowances_with(first) == OWN + first
    assert plan.allowances_with(other) == OWN + other
    assert plan.allowances_with((first[0],)) is plan.allowances_with(first)


def test_what_a_plan_keeps_of_policies_is_bounded() -> None:
    """A group for each user would otherwise be kept with each plan; what is joined stays right whatever was kept."""
    plan = Plan("model", (), OWN)
    for number in range(2 * MOST_JOINED + 1):
        more = (allowance(f"user {number}", Resource.REQUESTS, 1),)
        assert plan.allowances_with(more) == OWN + more
    assert len(plan._joined) <= MOST_JOINED
