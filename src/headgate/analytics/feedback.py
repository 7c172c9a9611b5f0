"""Feedback on calls, by trace id, and the graphs over it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from headgate.analytics.asked import calls_asked
from headgate.analytics.calls import Calls
from headgate.analytics.figures import ratio
from headgate.analytics.kept import Feedback
from headgate.analytics.points import points_of
from headgate.analytics.stores import FeedbackStore, Score
from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import InvalidRequest, NotFound
from headgate.base.ids import RandomBytes, object_id
from headgate.tenancy import rules
from headgate.tenancy.moments import to_iso
from headgate.tenancy.opinion import Opinion, opinion, value_of, weight_of
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Stores, Transactions

MOST_AT_ONCE: Final = 100


class FeedbackService:
    """`fields`: `trace_id`, `value` from -10 to 10, `weight` from 0 to 1 (1 where absent), `metadata`."""

    def __init__(
        self, transactions: Transactions, store: FeedbackStore, clock: Clock, random_bytes: RandomBytes
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._random_bytes = random_bytes

    async def give(self, principal: Principal, each: Sequence[Mapping[str, Any]]) -> list[str]:
        """The ids, in the order given. All or nothing."""
        if not 0 < len(each) <= MOST_AT_ONCE:
            raise InvalidRequest(f"Send one feedback, or a list of 1 to {MOST_AT_ONCE}.", param="feedbacks")
        found = [
            self.made(
                principal.organization_id,
                principal.workspace_id or "",
                principal.tenant_id,
                principal.key_id or "",
                rules.name(fields.get("trace_id"), "trace_id"),
                opinion(fields),
            )
            for fields in each
        ]
        await self.keep(found)
        return [feedback.id for feedback in found]

    def made(
        self,
        organization_id: str,
        workspace_id: str,
        tenant_id: str | None,
        key_id: str,
        trace_id: str,
        opinion: Opinion,
    ) -> Feedback:
        """One that is given now, and not kept yet."""
        now = self._clock.now()
        return Feedback(
            id=object_id("fb", self._random_bytes),
            organization_id=organization_id,
            workspace_id=workspace_id,
            tenant_id=tenant_id,
            key_id=key_id,
            trace_id=trace_id,
            value=opinion.value,
            weight=opinion.weight,
            metadata=opinion.metadata,
            created_at=now,
            updated_at=now,
        )

    async def keep(self, feedback: Sequence[Feedback]) -> None:
        """All or nothing."""
        await self._store.add(feedback)

    async def change(self, principal: Principal, feedback_id: str, fields: Mapping[str, Any]) -> str:
        """Only the key that gave it may. Raises the `NotFound` of an absent one for others."""
        feedback = await self._store.get(principal.organization_id, feedback_id)
        if feedback is None or feedback.key_id != (principal.key_id or ""):
            raise not_found("feedback", feedback_id)
        changes: dict[str, Any] = {"updated_at": self._clock.now()}
        if fields.get("value") is not None:
            changes["value"] = value_of(fields["value"], "value")
        if fields.get("weight") is not None:
            changes["weight"] = weight_of(fields["weight"], "weight")
        if "metadata" in fields:
            changes["metadata"] = rules.metadata(fields["metadata"], "metadata")
        await self._store.update(replace(feedback, **changes))
        return feedback.id

    async def of_trace(self, principal: Principal, trace_id: str) -> list[Feedback]:
        """What was given for it, the first first: a workspace's people see their workspace's, a tenant's its own."""
        found = await self._store.of_trace(principal.organization_id, trace_id)
        return [
            each
            for each in found
            if principal.workspace_id in (None, each.workspace_id) and principal.tenant_id in (None, each.tenant_id)
        ]

    async def graph(self, principal: Principal, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """`feedbacks`, and below it `scores`, `weighted` and `ai-models`."""
        if name not in _GRAPHS:
            raise NotFound(f"There is no graph of feedback `{name[:100]}`. Known: {', '.join(filter(None, _GRAPHS))}.")
        now = self._clock.now()

        def work(stores: Stores) -> tuple[Calls, str]:
            organization = stores.organizations.get(principal.organization_id)
            assert organization is not None, "a principal without an organization"
            return calls_asked(stores, principal, asked, now), organization.time_zone

        calls, time_zone = await self._transactions.read(work)
        scores = await self._store.scores(calls, by_model=name == "ai-models")
        points = points_of(calls.since, calls.until, time_zone)
        each: list[list[Score]] = [[] for _ in points.starts]
        for score in scores:
            each[points.index(score[0] * NANOS_PER_SECOND)].append(score)
        tell = _GRAPHS[name]
        return {
            "object": "analytics-graph",
            "summary": tell(scores),
            "data_points": [
                {"timestamp": to_iso(start), **tell(found)} for start, found in zip(points.starts, each, strict=True)
            ],
        }


def _total(scores: Sequence[Score]) -> dict[str, Any]:
    return {"total": sum([count for *_, count, _ in scores])}


def _by_value(scores: Sequence[Score]) -> dict[str, Any]:
    counts: dict[int, int] = {}
    for _, _, value, count, _ in scores:
        counts[value] = counts.get(value, 0) + count
    stats = [{"score": value, "total": count} for value, count in sorted(counts.items())]
    return {**_total(scores), "stats": stats}


def _weighted(scores: Sequence[Score]) -> dict[str, Any]:
    weights = sum([weight for *_, weight in scores])
    return {"avg": ratio(sum([value * weight for _, _, value, _, weight in scores]), weights), **_total(scores)}


def _by_model(scores: Sequence[Score]) -> dict[str, Any]:
    models: dict[str, list[Score]] = {}
    for score in scores:
        models.setdefault(score[1], []).append(score)
    return {
        **_total(scores),
        "stats": [{"ai_model": name, **_weighted(found)} for name, found in sorted(models.items())],
    }


_GRAPHS: Final[Mapping[str, Callable[[Sequence[Score]], dict[str, Any]]]] = {
    "": _total,
    "scores": _by_value,
    "weighted": _weighted,
    "ai-models": _by_model,
}
