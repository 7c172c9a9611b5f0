"""The models that the tenant may call: exactly those of `GET /v1/models`."""

from starlette.responses import Response

from headgate.console.portal.visit import PortalVisit


async def listed(visit: PortalVisit) -> Response:
    """By the names that a call uses."""
    told = await visit.told("/v1/models")
    return visit.page("models.html", models=told["data"], default=visit.visitor.tenant.default_model)


async def names(visit: PortalVisit) -> list[str]:
    """What a call may name, the default first."""
    found = [str(each["id"]) for each in (await visit.told("/v1/models"))["data"]]
    default = visit.visitor.tenant.default_model
    return found if default is None else [default, *(each for each in found if each != default)]
