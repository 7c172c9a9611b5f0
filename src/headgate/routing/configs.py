"""From a config and a call to the target it begins with, and the ways on from there. Pure but for the balancer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.routing.balancer import Balancer
from headgate.routing.option import Option, Ways, onward
from headgate.routing.plan import Target
from headgate.routing.router import Router
from headgate.tenancy.policy import Policy
from headgate.tenancy.route_nodes import Balance, Choice, Fallback, Leaf, Node, RouteConfig, Sticky


class Params(Protocol):
    """The request, as conditions look into it: `wire.document.Document`."""

    def value(self, name: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """What a call asks for. Implements `route_conditions.Facts`."""

    policy: Policy
    model: str | None
    """What it is to be served by where the config does not say: what it named, or what the table chose."""
    named: str | None
    """What the caller wrote."""
    provider: str | None
    """The slug in a header."""
    client: str
    metadata: Mapping[str, str]
    params: Params
    at: int

    def param(self, name: str) -> Any:
        return self.params.value(name)


class Configs:
    """One per process."""

    def __init__(self, router: Router, balancer: Balancer) -> None:
        self._router = router
        self._balancer = balancer

    def option(self, config: RouteConfig, ask: Ask) -> Option:
        """Where the call begins. Raises what `resolve` raises where no way leads to a target, and `InvalidRequest`
        where no condition holds."""
        return self._walk(config.root, ask, ())

    def _walk(self, node: Node, ask: Ask, after: Ways) -> Option:
        match node:
            case Leaf():
                return self._leaf(node, ask, after)
            case Fallback():
                return self._fallback(node, ask, after)
            case Balance():
                return self._balance(node, ask, after)
            case Choice():
                chosen = next((target for condition, target in node.rules if condition.holds(ask)), node.default)
                if chosen is None:
                    where = f"{node.path}.strategy"
                    raise InvalidRequest(
                        f"None of the conditions in `{where}` holds for this call, and there is no default.",
                        param=f"{where}.default",
                    )
                return self._walk(chosen, ask, after)

    def _leaf(self, leaf: Leaf, ask: Ask, after: Ways) -> Option:
        model, provider = leaf.model or ask.model, leaf.provider
        if provider is None:
            provider = None if leaf.model is not None and leaf.model.startswith("@") else ask.provider
        elif leaf.model is None and model is not None and model.startswith("@"):
            model = model.partition("/")[2]  # the config says where calls go, whatever they name
        try:
            plan = self._router.route(ask.policy, model, provider, ask.client, ask.at)
        except HeadgateError as error:
            if (other := onward(after, {error.status})) is None:
                raise
            return other
        return Option(replace(plan, model_asked=ask.named or plan.model_asked), leaf.path, leaf.terms, after)

    def _fallback(self, node: Fallback, ask: Ask, after: Ways) -> Option:
        """From the last to the first: each knows where to go on."""
        found: Option | HeadgateError | None = None
        for target in reversed(node.targets):
            ways = ((node.on_status_codes, found), *after) if isinstance(found, Option) else after
            try:
                found = self._walk(target, ask, ways)
            except HeadgateError as error:
                found = error
        if isinstance(found, Option):
            return found
        assert found is not None
        raise found

    def _balance(self, node: Balance, ask: Ask, after: Ways) -> Option:
        there: list[tuple[Option, int]] = []
        failed: HeadgateError | None = None
        beyond: Option | None = None
        for target, weight in zip(node.targets, node.weights, strict=True):
            if weight:
                try:
                    option = self._walk(target, ask, after)
                except HeadgateError as error:
                    failed = failed or error
                    continue
                if option.path.startswith(target.path):
                    there.append((option, weight))
                else:
                    beyond = option  # none of this target's own is there, and a way leads past it
        if not there:
            if beyond is not None:
                return beyond
            assert failed is not None
            raise failed
        names = [name_of(option.target) for option, _ in there]
        place = self._balancer.pick(names, [weight for _, weight in there], _sticky(node.sticky, ask))
        return there[place][0]


def name_of(target: Target) -> tuple[str, str]:
    """How health knows a target: one model on one credential."""
    return target.provider.integration_id, target.model


def _sticky(sticky: Sticky | None, ask: Ask) -> bytes | None:
    """What binds calls to a target; None where a call has none of the fields."""
    if sticky is None:
        return None
    values = [field.of(ask) for field in sticky.fields]
    if all(value is None for value in values):
        return None
    term = ask.at // (sticky.ttl_s * NANOS_PER_SECOND)
    return json.dumps([ask.policy.workspace_id, term, *values], default=str).encode()
