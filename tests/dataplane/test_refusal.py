"""What a caller is told of a limit that stands in the way."""

from headgate.base.errors import Exhausted, RateLimited
from headgate.dataplane.refusal import refusal
from headgate.ledger.allowance import LIFETIME, Allowance, Resource, Scope, Window, WindowKind
from headgate.ledger.hold import Denied

MINUTE = Window(WindowKind.SLIDING, seconds=60)


def denied(
    scope: str, resource: Resource = Resource.COST, window: Window = LIFETIME, *, exhausted: bool = True
) -> Denied:
    allowance = Allowance("a", Scope(scope, "id", "Acme"), resource, window, 5_000_000_000)
    return Denied(allowance, 2_000_000_000, 1_000_000_000, exhausted, 7.0, 1_790_000_000_000_000_000)


def test_a_refusal_names_the_allowance_what_was_asked_what_is_left_and_when() -> None:
    """Guarantee 3; money as dollars, moments as ISO 8601."""
    error = refusal(denied("api_key"))
    assert isinstance(error, Exhausted)
    assert "limit of $5.000000 for the api key `Acme`" in error.message
    assert error.details["asked"] == "$2.000000"
    assert error.details["left"] == "$1.000000"
    assert error.details["resets_at"].startswith("2026-")
    assert error.retry_after == 7.0


def test_the_organizations_figures_are_not_for_its_customers() -> None:
    """Guarantee 5: what all tenants together may spend, and have left, is nobody's own."""
    error = refusal(denied("organization"))
    assert isinstance(error, Exhausted)
    assert "$" not in error.message
    assert set(error.details) == {"allowance", "resets_at", "retry_after", "reason"}
    assert error.details["allowance"] == {"scope": "organization", "resource": "cost", "window": "lifetime"}


def test_spent_held_and_rate_are_told_apart() -> None:
    """412 when it is spent, 429 when others hold it or a rate is used up, each with its own code."""
    held = refusal(denied("api_key", exhausted=False))
    assert (held.status, held.code) == (429, "held")
    rate = refusal(denied("api_key", Resource.REQUESTS, MINUTE))
    assert isinstance(rate, RateLimited)
    assert (rate.status, rate.code) == (429, "05")
