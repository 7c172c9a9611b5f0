"""The grammar of configs: reads what a customer or an administrator wrote, and refuses, by name, what it cannot be.

A config says which of the providers that are here a call goes to, and on what terms. It can never say where a provider
lives or what credential it takes: those are an administrator's, on the integration.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from headgate.base.errors import InvalidRequest
from headgate.tenancy.limit_rules import number, whole
from headgate.tenancy.route_conditions import Condition, condition, field
from headgate.tenancy.route_fields import check_names, list_of, mapping, status_codes, text, wrong
from headgate.tenancy.route_nodes import (
    NO_TERMS,
    WEIGHT_UNIT,
    Balance,
    Choice,
    Fallback,
    Leaf,
    Node,
    RouteConfig,
    Sticky,
    Terms,
)
from headgate.tenancy.route_terms import LONGEST_AGE_S, cache_rules, terms_of

__all__ = ["RouteConfig", "parse"]

DEEPEST: Final = 4
"""Targets within targets."""
MOST_TARGETS: Final = 32
MOST_CONDITIONS: Final = 50
MOST_FIELDS: Final = 5
HEAVIEST: Final = 1_000_000

_MODES: Final = ("single", "fallback", "loadbalance", "conditional")
_NODE: Final = frozenset(
    {
        *("strategy", "targets", "name", "weight", "provider", "virtual_key", "model", "retry", "request_timeout"),
        *("override_params", "input_guardrails", "output_guardrails", "before_request_hooks", "after_request_hooks"),
    }
)
_STRATEGY: Final = frozenset({"mode", "on_status_codes", "conditions", "default", "sticky", "sticky_session"})


class _Above(NamedTuple):
    """What a node takes over from those it stands in."""

    terms: Terms = NO_TERMS
    provider: str | None = None
    model: str | None = None
    depth: int = 0


def parse(document: object, slug: str = "", where: str = "config") -> RouteConfig:
    """Reads a config. `where` is how errors call it. Raises `InvalidRequest` naming the path of the field."""
    fields = mapping(document, where)
    cache = cache_rules(fields["cache"], f"{where}.cache") if fields.get("cache") is not None else None
    at_top = {name: value for name, value in fields.items() if name != "cache"}
    terms = terms_of(at_top, where, NO_TERMS)
    config = RouteConfig(_node(at_top, where, _Above()), cache, terms.input_guardrails, terms.output_guardrails, slug)
    if sum(1 for _ in config.leaves()) > MOST_TARGETS:
        raise InvalidRequest(f"`{where}` has more than {MOST_TARGETS} targets.", param=f"{where}.targets")
    return config


def _node(fields: Mapping[str, Any], where: str, above: _Above) -> Node:
    check_names(fields, _NODE, where)
    terms = terms_of(fields, where, above.terms)
    provider, model = _provider(fields, where), _model(fields, where)
    if provider is None and not (model or "").startswith("@"):
        provider = above.provider
    here = _Above(terms, provider, model or above.model, above.depth + 1)
    name = text(fields["name"], f"{where}.name") if fields.get("name") is not None else ""
    strategy = mapping(fields["strategy"], f"{where}.strategy") if fields.get("strategy") is not None else {}
    check_names(strategy, _STRATEGY, f"{where}.strategy")
    mode = strategy.get("mode", "single")
    if mode not in _MODES:
        raise wrong(f"{where}.strategy.mode", f"one of {', '.join(_MODES)}")
    if fields.get("targets") is None:
        if mode != "single":
            raise wrong(f"{where}.targets", f"a list: the mode `{mode}` needs targets")
        return Leaf(where, name, here.provider, here.model, terms)
    return _branch(mode, strategy, fields["targets"], where, here, name)


def _branch(mode: str, strategy: Mapping[str, Any], targets: object, where: str, here: _Above, name: str) -> Node:
    at, below = f"{where}.strategy", f"{where}.targets"
    if here.depth > DEEPEST:
        raise InvalidRequest(f"`{below}`: targets stand at most {DEEPEST} deep.", param=below)
    written = [mapping(each, f"{below}[{index}]") for index, each in enumerate(list_of(targets, below, MOST_TARGETS))]
    children = tuple([_node(each, f"{below}[{index}]", here) for index, each in enumerate(written)])
    match mode:
        case "fallback":
            codes = strategy.get("on_status_codes")
            after = None if codes is None else status_codes(codes, f"{at}.on_status_codes")
            return Fallback(where, children, after, name)
        case "loadbalance":
            return Balance(where, children, _weights(written, below), _sticky(strategy, at), name)
        case "conditional":
            return _choice(strategy, at, where, children, name)
    return children[0]


def _choice(strategy: Mapping[str, Any], at: str, where: str, children: Sequence[Node], name: str) -> Choice:
    named = {child.name: child for child in children if child.name}
    if len(named) < len(children):
        raise InvalidRequest(f"`{where}.targets` each need a `name` of their own here.", param=f"{where}.targets")

    def target(value: object, param: str) -> Node:
        if not isinstance(value, str) or value not in named:
            raise wrong(param, f"the name of a target: {', '.join(named)}")
        return named[value]

    rules: list[tuple[Condition, Node]] = []
    for index, each in enumerate(list_of(strategy.get("conditions"), f"{at}.conditions", MOST_CONDITIONS)):
        param = f"{at}.conditions[{index}]"
        rule = mapping(each, param)
        check_names(rule, frozenset({"query", "then"}), param)
        found = condition(rule.get("query"), f"{param}.query")
        rules.append((found, target(rule.get("then"), f"{param}.then")))
    default = strategy.get("default")
    return Choice(where, tuple(rules), None if default is None else target(default, f"{at}.default"), name)


def _sticky(strategy: Mapping[str, Any], where: str) -> Sticky | None:
    name = "sticky_session" if "sticky_session" in strategy else "sticky"
    if strategy.get(name) is None:
        return None
    param = f"{where}.{name}"
    fields = mapping(strategy[name], param)
    check_names(fields, frozenset({"hash_fields", "ttl"}), param)
    listed = enumerate(list_of(fields.get("hash_fields"), f"{param}.hash_fields", MOST_FIELDS))
    found = tuple([field(each, f"{param}.hash_fields[{index}]") for index, each in listed])
    return Sticky(found, whole(fields.get("ttl", 3600), f"{param}.ttl", low=1, high=LONGEST_AGE_S))


def _weights(targets: Sequence[Mapping[str, Any]], where: str) -> tuple[int, ...]:
    weights = []
    for index, each in enumerate(targets):
        param = f"{where}[{index}].weight"
        found = number(each.get("weight", 1), param)
        if not 0 <= found <= HEAVIEST:
            raise wrong(param, f"a number between 0 and {HEAVIEST:,}")
        weights.append(int(found * WEIGHT_UNIT))
    if not any(weights):
        raise InvalidRequest(f"`{where}`: at least one weight must be above 0.", param=where)
    return tuple(weights)


def _provider(fields: Mapping[str, Any], where: str) -> str | None:
    named = [name for name in ("provider", "virtual_key") if fields.get(name) is not None]
    if len(named) > 1:
        raise InvalidRequest(f"`{where}`: name `provider` or `virtual_key`, not both.", param=f"{where}.virtual_key")
    return text(fields[named[0]], f"{where}.{named[0]}").removeprefix("@") if named else None


def _model(fields: Mapping[str, Any], where: str) -> str | None:
    """A target's own, or that of its `override_params`."""
    for source, param in ((fields, where), (fields.get("override_params"), f"{where}.override_params")):
        if isinstance(source, Mapping) and source.get("model") is not None:
            return text(source["model"], f"{param}.model")
    return None
