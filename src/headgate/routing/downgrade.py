"""Which cheaper models stand in for the one a call asked for: a tenant's map, followed step by step."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from headgate.base.errors import HeadgateError
from headgate.routing.plan import Plan
from headgate.tenancy.tenant_policy import Downgrade

Route = Callable[[str], Plan]
"""The plan for a model's name, for the caller; `routing.resolve` says what it raises."""


def stand_ins(plan: Plan, downgrade: Downgrade, route: Route) -> Iterator[Plan]:
    """A plan for each model on the way down, the dearest first. One that the caller may not use, or that does not speak
    the client's format, is stepped over."""
    slug, model = plan.first.provider.slug, plan.first.model
    seen = {(slug, model)}
    while (name := downgrade.instead_of(slug, model)) is not None:
        found = _routed(name, slug, route)
        slug, model = (found.first.provider.slug, found.first.model) if found is not None else _parts(name, slug)
        if (slug, model) in seen:
            return
        seen.add((slug, model))
        if found is not None:
            yield replace(found, model_asked=plan.model_asked)


def _parts(name: str, slug: str) -> tuple[str, str]:
    """The provider and the model that a name means to the map."""
    named, _, model = name.removeprefix("@").partition("/") if name.startswith("@") else (slug, "", name)
    return named, model


def _routed(name: str, slug: str, route: Route) -> Plan | None:
    """A name without a provider means the same provider's model, where that has one with a known price."""
    if not name.startswith("@"):
        same = _planned(f"@{slug}/{name}", route)
        if same is not None and same.first.price is not None:
            return same
    return _planned(name, route)


def _planned(name: str, route: Route) -> Plan | None:
    try:
        return route(name)
    except HeadgateError:
        return None
