"""`POST /v1/route/explain`: where a call would go and why, without sending it or holding anything for it.

The body is the very request that would be sent; `?endpoint=/v1/messages` says where to, if not to chat completions.
"""

from typing import Any
from urllib.parse import parse_qs

import msgspec

from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.base.money import usd
from headgate.catalog.catalog import Catalog
from headgate.dataplane import admit
from headgate.dataplane.acting import acting
from headgate.dataplane.authenticate import Directory
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.downgrade import Downgrader, name_of
from headgate.dataplane.endpoints import CHAT, ENDPOINTS, EXPLAIN, Endpoint
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.groups import Groups
from headgate.dataplane.guard import guard_request
from headgate.dataplane.headers import JSON, call_headers
from headgate.dataplane.limits import Limits
from headgate.dataplane.metadata import metadata_of
from headgate.dataplane.preparation import NO_GUARDS
from headgate.dataplane.refusal import window_name
from headgate.dataplane.routes import Chosen, Routes
from headgate.dataplane.watch import Watch
from headgate.routing.option import Option
from headgate.tenancy.route_nodes import NO_TERMS, Terms
from headgate.wire.document import Document
from headgate.wire.registry import FORMATS


class Explainer:
    """One per pipeline."""

    def __init__(
        self,
        directory: Directory,
        catalog: Catalog,
        routes: Routes,
        groups: Groups,
        downgrader: Downgrader,
        books: Books,
        watch: Watch,
        limits: Limits,
    ) -> None:
        self._directory = directory
        self._catalog = catalog
        self._routes = routes
        self._groups = groups
        self._downgrader = downgrader
        self._books = books
        self._watch = watch
        self._limits = limits

    async def explain(self, exchange: Exchange, call: Call) -> None:
        """Answers 200 with the explanation; raises what routing the call itself would raise."""
        call.endpoint = asked_endpoint(exchange.query)
        call.document = Document(await exchange.body(self._limits.body, self._limits.body_within_s))
        call.head = FORMATS[call.endpoint.format].head(call.document)
        policy = await acting(exchange, call, call.head, self._directory)
        call.metadata = metadata_of(exchange, call.head, policy)
        option = self._routes.of(exchange, call)
        chosen = self._routes.chosen(call)
        asked = call.document, call.head
        targets = []
        for each in [None] if option is None else option.all():
            if each is not None:
                call.document, call.head = asked
                call.plan = each.plan
            targets.append(await self._target(call, each))
        explanation = {
            "object": "route.explanation",
            "endpoint": call.endpoint.path,
            "model_asked": asked[1].model,
            "routing": None if chosen is None else _routing(chosen),
            "config": None if option is None else self._routes.config_name(exchange, policy),
            "targets": targets,
            "goes_to": next((each["model"] for each in targets if each["fits"] and not each["resting"]), None),
        }
        await exchange.respond(200, [JSON, *call_headers(call, b"gateway")], msgspec.json.encode(explanation))

    async def _target(self, call: Call, option: Option | None) -> dict[str, Any]:
        """One target, at this moment: what it would cost, and what stands in its way."""
        terms = NO_TERMS if option is None else option.terms
        found: dict[str, Any] = {
            "path": None if option is None else option.path,
            "model": name_of(call.target),
            "format": call.target.format,
            "resting": not self._watch.admits(call.target),
            "on_status_codes": [] if option is None else _codes(option),
            "downgraded_from": None,
            "bound": None,
            "fits": False,
            "refused": None,
            "lacks": [],
        }
        try:
            await self._bound(call, terms, found)
        except HeadgateError as error:
            found["refused"] = {"status": error.status, "code": error.code, "message": error.message}
        return found

    async def _bound(self, call: Call, terms: Terms, found: dict[str, Any]) -> None:
        policy = call.policy
        if terms.overrides:
            call.document = Document(call.document.replace(dict(terms.overrides)))
            call.head = FORMATS[call.endpoint.format].head(call.document)
        guards = policy.guardrails or NO_GUARDS
        guard_request(call, guards, self._catalog, of_input=terms.input_guardrails, of_output=terms.output_guardrails)
        if policy.limit_policies:
            call.of_policies = await self._groups.of_call(call)
        bounds = admit.bound_call(call, self._limits.default_max_output)
        due = await self._downgrader.due(call, bounds) if policy.tenant is not None else None
        if due is not None:
            found["downgraded_from"] = found["model"]
            due[1].take(call)
            found["model"] = name_of(call.target)
        amounts = admit.amounts_of(call.bound)
        found["bound"] = {
            "input_tokens": amounts.input_tokens,
            "output_tokens": amounts.output_tokens,
            "cost_usd": usd(amounts.cost),
        }
        lefts = zip(call.allowances, self._books.lefts(call.allowances), strict=True)
        found["lacks"] = [
            {"scope": each.scope.kind, "resource": each.resource.value, "window": window_name(each)}
            for each, left in lefts
            if amounts.of(each.resource) > left
        ]
        found["fits"] = not found["lacks"]


def _codes(option: Option) -> list[dict[str, Any]]:
    """Where a call goes on from there, and after what; null: after anything that is no success."""
    return [{"codes": None if codes is None else sorted(codes), "to": other.path} for codes, other in option.after]


def _routing(chosen: Chosen) -> dict[str, Any]:
    return {
        "model": chosen.model,
        "tier": chosen.tier,
        "customer_tier": chosen.named_tier,
        "complexity": chosen.level,
        "why": list(chosen.why),
    }


def asked_endpoint(query: str) -> Endpoint:
    """The endpoint that the request is for. Raises `InvalidRequest` for what takes no calls."""
    asked = parse_qs(query).get("endpoint", [CHAT.path])[-1]
    path = asked if asked.startswith("/v1/") else f"/v1/{asked.removeprefix('/')}"
    possible = [each for each in ENDPOINTS if each.method == "POST" and each is not EXPLAIN and not each.form]
    for endpoint in possible:
        if endpoint.path == path:
            return endpoint
    listed = ", ".join(f"`{each.path}`" for each in possible)
    raise InvalidRequest(f"`endpoint` must be one of {listed}.", param="endpoint")
