"""What the tenant may use, how much of it is left, and when it counts anew: as `GET /v1/limits` tells it."""

from typing import Final

from starlette.responses import Response

from headgate.console.portal.visit import PortalVisit
from headgate.ledger.allowance import Resource

OWN: Final = {"tenant": "this account", "api_key": "your key"}
"""Scopes that are the visitor's own. What he shares with other customers is not shown: it says what they use."""


async def show(visit: PortalVisit) -> Response:
    """Budgets and rate limits in one list."""
    told = await visit.told("/v1/limits")
    rows = [each for each in told["data"] if each["scope"] in OWN]
    return visit.page("limits.html", rows=rows, scopes=OWN, in_flight=Resource.IN_FLIGHT)
