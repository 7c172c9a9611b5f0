"""What the tenant may use, how much of it is left, and when it counts anew: as `GET /v1/limits` tells it."""

from typing import Final

from starlette.responses import Response

from headgate.console.formats import UNIT_WORDS
from headgate.console.portal.visit import PortalVisit
from headgate.ledger.allowance import Resource
from headgate.tenancy.limits import RATE_UNITS

OWN: Final = {"tenant": "this account", "api_key": "your key"}
"""Scopes that are the visitor's own. What he shares with other customers is not shown: it says what they use."""
WINDOWS: Final = {
    "lifetime": "for good",
    "now": "at any moment",
    **{f"{RATE_UNITS[unit]}-second": words for unit, words in UNIT_WORDS.items()},
}
"""As people say them."""


async def show(visit: PortalVisit) -> Response:
    """Budgets and rate limits in one list."""
    told = await visit.told("/v1/limits")
    rows = [each for each in told["data"] if each["scope"] in OWN]
    return visit.page("limits.html", rows=rows, scopes=OWN, windows=WINDOWS, in_flight=Resource.IN_FLIGHT)
