"""Step 3: where a call goes: by the model it names, by its config, or, where it names `auto`, by the routing table."""

from dataclasses import dataclass, replace
from typing import Final

from headgate.base.errors import InvalidRequest
from headgate.dataplane.call import Call
from headgate.dataplane.config_hint import config_of
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.provider_hint import provider_hint
from headgate.routing.complexity import Classifier, Prompt
from headgate.routing.configs import Ask, Configs
from headgate.routing.option import Option
from headgate.routing.resolve import asked_or_default
from headgate.routing.router import Router
from headgate.tenancy.policy import Policy
from headgate.tenancy.route_nodes import RouteConfig

AUTO: Final = frozenset({"auto", "@auto"})
TIERS: Final = ("tier", "subscription_tier")
"""Where a call's metadata may say its customer's tier."""
HEADER: Final = b"x-headgate-route"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the routing table says for one call."""

    model: str
    tier: str
    """The row that counts."""
    named_tier: str | None
    """What the customer is said to have, which may be no row of the table."""
    level: str
    why: tuple[str, ...]


class Routes:
    """One per process."""

    def __init__(self, router: Router, configs: Configs, classify: Classifier) -> None:
        self._router = router
        self._configs = configs
        self._classify = classify

    def of(self, exchange: Exchange, call: Call) -> Option | None:
        """The call has its plan then. With a config: where it begins instead, and the ways on from there.

        Raises `InvalidRequest`, `NotFound`, `ModelNotAllowed` and `Unauthenticated`, as `resolve` does.
        """
        policy, model = call.policy, call.head.model
        chosen = self.chosen(call)
        if chosen is not None:
            model = chosen.model
            call.told = ((HEADER, f"{chosen.tier}/{chosen.level}".encode("ascii", "backslashreplace")),)
            call.flags = (f"auto:{chosen.tier}:{chosen.level}",)
        config = config_of(exchange, policy)
        hint = provider_hint(exchange)
        if config is not None:
            call.cache, call.config = config.cache, config.slug
            return self.option(config, call, model, hint)
        plan = self._router.route(policy, model, hint, call.endpoint.format, call.started_at)
        call.plan = plan if chosen is None else replace(plan, model_asked=call.head.model or model or "")
        call.told = call.target.told if chosen is None else (*call.target.told, *call.told)
        return None

    def option(self, config: RouteConfig, call: Call, model: str | None, hint: str | None) -> Option:
        """Where a call with this config begins."""
        ask = Ask(
            policy=call.policy,
            model=model,
            named=call.head.model,
            provider=hint,
            client=call.endpoint.format,
            metadata=call.metadata,
            params=call.document,
            at=call.started_at,
        )
        return self._configs.option(config, ask)

    def config_name(self, exchange: Exchange, policy: Policy) -> str | None:
        """The slug of the config that a call takes; empty for one that it brings itself."""
        config = config_of(exchange, policy)
        return None if config is None else config.slug

    def chosen(self, call: Call) -> Chosen | None:
        """None: the call says itself where it is to go, or its tenant's default does."""
        policy, model = call.policy, call.head.model
        if model not in AUTO and (policy.routing is None or asked_or_default(policy, model)):
            return None
        table = policy.routing
        if table is None:
            raise InvalidRequest(
                f"`{model}` goes where the routing table says, and there is none here. Name a model, or ask an "
                "administrator to set `routing_table`.",
                param="model",
                code="no_routing_table",
            )
        named = tier_of(policy, call)
        tier = table.tier(named)
        verdict = self._classify(Prompt.of(call.endpoint.format, call.document), table.complexity)
        return Chosen(table.model(tier, verdict.level), tier, named, verdict.level, verdict.why)


def tier_of(policy: Policy, call: Call) -> str | None:
    """The tenant's, else what metadata says; None: nobody says."""
    if policy.tenant is not None and policy.tenant.tier is not None:
        return policy.tenant.tier
    return next((call.metadata[name] for name in TIERS if name in call.metadata), None)
