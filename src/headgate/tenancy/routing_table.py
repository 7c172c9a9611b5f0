"""Which model a call gets that leaves the choice to the gateway: by the customer's tier and the call's complexity.

Organization, workspace and tenant each hold a part of the table; of each entry the one nearest to the caller counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SIMPLE: Final = "simple"
COMPLEX: Final = "complex"
LEVELS: Final = (SIMPLE, COMPLEX)

KEYWORDS: Final = (
    *("analyze", "analyse", "analysis", "compare", "comparison", "contrast", "evaluate", "critique"),
    *("generate code", "write code", "refactor", "debug", "implement", "algorithm", "architecture", "design a"),
    *("prove", "derive", "reason", "step by step", "step-by-step", "in detail", "comprehensive", "trade-off"),
)
"""What makes a call complex wherever it stands, in small letters, if nobody says otherwise."""

Document = Mapping[str, Any]
"""`tiers`, `default_tier` and `complexity` as they are stored: those that one owner sets."""


@dataclass(frozen=True, slots=True)
class ComplexityRules:
    """What the built-in classifier looks at."""

    length: int = 2_000
    """Characters of text in all messages; more is complex."""
    keywords: tuple[str, ...] = KEYWORDS
    """In system and user text, in small letters."""
    tools: bool = True
    """Whether a call that brings tools is complex."""
    images: bool = True


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """Tier x complexity -> model. `default_tier` is one of `tiers`."""

    tiers: Mapping[str, Mapping[str, str]]
    default_tier: str
    complexity: ComplexityRules = field(default_factory=ComplexityRules)

    def tier(self, named: str | None) -> str:
        """The tier of a customer: an unknown one is the default."""
        return named if named is not None and named in self.tiers else self.default_tier

    def model(self, tier: str, level: str) -> str:
        """For one of `tiers`."""
        return self.tiers[tier][level]


def routing_table(*owners: Document) -> RoutingTable | None:
    """Of these owners taken together, the last one's words counting most. None: nobody has set a tier."""
    tiers = {tier: models for owner in owners for tier, models in owner.get("tiers", {}).items()}
    if not tiers:
        return None
    complexity = {name: value for owner in owners for name, value in owner.get("complexity", {}).items()}
    if "keywords" in complexity:
        complexity["keywords"] = tuple(complexity["keywords"])
    named = [owner["default_tier"] for owner in owners if "default_tier" in owner]
    default = next((tier for tier in reversed(named) if tier in tiers), "free" if "free" in tiers else min(tiers))
    return RoutingTable(tiers, default, ComplexityRules(**complexity))
