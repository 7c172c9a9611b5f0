"""`/feedback`: what people think of answers, by trace id; and `/analytics/graphs/feedbacks`."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane.answers import Answer
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.log_bodies import FeedbackFields
from headgate.controlplane.usage_filters import Filters
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/feedback", tags=["feedback"], route_class=AuthenticatedRoute)
graphs = APIRouter(prefix="/analytics/graphs", tags=["feedback"], route_class=AuthenticatedRoute)

Giver = Annotated[Principal, needs("completions.write", "logs.write")]
Viewer = Annotated[Principal, needs("analytics.view")]


@router.post("")
async def give(body: FeedbackFields | list[FeedbackFields], services: WithServices, principal: Giver) -> Answer:
    """Give feedback, one or a list."""
    each = body if isinstance(body, list) else [body]
    ids = await services.analytics.feedback.give(principal, [one.model_dump() for one in each])
    return _given(ids)


@router.put("/{feedback_id}")
async def change(feedback_id: str, body: FeedbackFields, services: WithServices, principal: Giver) -> Answer:
    """Change what is sent, of feedback that the same key gave."""
    fields = body.model_dump(exclude_unset=True)
    return _given([await services.analytics.feedback.change(principal, feedback_id, fields)])


@graphs.get("/feedbacks")
async def total(services: WithServices, principal: Viewer, filters: Filters) -> Answer:
    """How many over time."""
    return Answer(await services.analytics.feedback.graph(principal, "", filters.asked()))


@graphs.get("/feedbacks/{graph}")
async def graph(graph: str, services: WithServices, principal: Viewer, filters: Filters) -> Answer:
    """By score, weighted, or by model."""
    return Answer(await services.analytics.feedback.graph(principal, graph, filters.asked()))


def _given(ids: list[str]) -> Answer:
    return Answer({"status": "success", "message": "Feedback saved", "feedback_ids": ids})
