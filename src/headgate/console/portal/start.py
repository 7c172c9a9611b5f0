"""How a program calls models: with the right address, and a model that the tenant may use."""

from starlette.responses import Response

from headgate.console.portal import models
from headgate.console.portal.visit import PortalVisit


async def show(visit: PortalVisit) -> Response:
    """For curl and three SDKs."""
    found = await models.names(visit)
    return visit.page("start.html", model=found[0] if found else None)
