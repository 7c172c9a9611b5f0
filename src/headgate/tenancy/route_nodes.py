"""A config as frozen data: a tree whose leaves name where a call may go, and on what terms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from headgate.tenancy.route_conditions import Condition, Field

WEIGHT_UNIT = 1_000_000
"""A weight of 1, as it is stored: weights are whole numbers of millionths."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often the same target is tried again, after which answers. A connection that failed counts as any code."""

    attempts: int
    on_status_codes: frozenset[int]
    use_retry_after: bool = True
    """Wait as long as the provider says, where it says so; else back off on our own."""


@dataclass(frozen=True, slots=True)
class CacheRules:
    """The exact-match cache for the calls of a config. `max_age_s` None: as long as the gateway's settings say."""

    max_age_s: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a target: its own words, and those of the nodes above it where it has none."""

    retry: Retry | None = None
    request_timeout_ms: int | None = None
    overrides: tuple[tuple[str, bytes], ...] = ()
    """Top-level members of the request and the JSON they are set to; `model` is none of them."""
    input_guardrails: tuple[str, ...] = ()
    output_guardrails: tuple[str, ...] = ()


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One target. What it does not name is as the call has it."""

    path: str
    """Where it stands in the config: `config.targets[1]`."""
    name: str = ""
    provider: str | None = None
    """The slug, without `@`."""
    model: str | None = None
    terms: Terms = NO_TERMS


@dataclass(frozen=True, slots=True)
class Fallback:
    """One after the other, after these answers. None: after any that is no success."""

    path: str
    targets: "tuple[Node, ...]"
    on_status_codes: frozenset[int] | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Sticky:
    """Calls with the same values go to the same target, for so long."""

    fields: tuple[Field, ...]
    ttl_s: int


@dataclass(frozen=True, slots=True)
class Balance:
    """One of several, by weight and by how they are doing."""

    path: str
    targets: "tuple[Node, ...]"
    weights: tuple[int, ...]
    """One for each target, in `WEIGHT_UNIT`; 0: none of the calls."""
    sticky: Sticky | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The target of the first condition that holds; else the default, and without one the call is refused."""

    path: str
    rules: "tuple[tuple[Condition, Node], ...]"
    default: "Node | None"
    name: str = ""


Node: TypeAlias = Leaf | Fallback | Balance | Choice


@dataclass(frozen=True, slots=True)
class RouteConfig:
    """A config that has been read and checked; see `route_config.parse`."""

    root: Node
    cache: CacheRules | None = None
    input_guardrails: tuple[str, ...] = ()
    """Those named at the top, which hold for every target that does not name its own."""
    output_guardrails: tuple[str, ...] = ()
    slug: str = ""
    """Of a stored config; empty for one that came in a header."""

    def leaves(self) -> Iterator[Leaf]:
        """Every target there is, each once."""
        return _leaves(self.root)

    def providers(self) -> set[str]:
        """The slugs it names."""
        return {leaf.provider for leaf in self.leaves() if leaf.provider is not None}

    def guardrails(self) -> set[str]:
        """The ids or slugs it names, at the top or at a target."""
        terms = [leaf.terms for leaf in self.leaves()]
        named = (*self.input_guardrails, *self.output_guardrails)
        return {*named, *(each for term in terms for each in (*term.input_guardrails, *term.output_guardrails))}


def _leaves(node: Node) -> Iterator[Leaf]:
    match node:
        case Leaf():
            yield node
        case Fallback(targets=targets) | Balance(targets=targets):
            for target in targets:
                yield from _leaves(target)
        case Choice(rules=rules, default=default):
            branches: Mapping[str, Node] = {each.path: each for _, each in rules}
            if default is not None:
                branches = {**branches, default.path: default}
            for branch in branches.values():
                yield from _leaves(branch)
