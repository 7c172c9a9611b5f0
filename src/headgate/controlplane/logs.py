"""`/logs`: the records of calls, searched and shown; and logs that are sent in."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from headgate.analytics.logs import MOST_LINES
from headgate.controlplane.answers import Answer
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.log_bodies import NewLog
from headgate.controlplane.usage_filters import Filters
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/logs", tags=["logs"], route_class=AuthenticatedRoute)


@router.get("")
async def find(
    services: WithServices,
    principal: Annotated[Principal, needs("logs.list")],
    filters: Filters,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    page_size: Annotated[int, Query(ge=1, le=MOST_LINES)] = 50,
    include_total: bool = False,
) -> Answer:
    """The latest first. The next page begins where this one ends, whatever has come since."""
    logs = services.analytics.logs
    return Answer(await logs.find(principal, filters.asked(), cursor=cursor, limit=page_size, count=include_total))


@router.post("")
async def send(
    body: NewLog | list[NewLog], services: WithServices, principal: Annotated[Principal, needs("logs.write")]
) -> Answer:
    """Keep the log of a call that did not go through the gateway, encrypted; or a list of them. It counts in no graph
    and no budget."""
    each: list[dict[str, Any]] = [one.model_dump() for one in (body if isinstance(body, list) else [body])]
    ids = await services.analytics.bodies.send(principal, each)
    return Answer({"status": "success", "id": ids[0], "ids": ids, "object": "log"})


@router.get("/{log_id}")
async def get(log_id: str, services: WithServices, principal: Annotated[Principal, needs("logs.view")]) -> Answer:
    """One call by its request id: what it used and cost, line by line, its attempts, and its bodies where they are
    kept."""
    return Answer(await services.analytics.logs.get(principal, log_id))
