"""The routing table: what can be said, and whose words count."""

from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from headgate.tenancy.routing_table import COMPLEX, SIMPLE, ComplexityRules, routing_table
from headgate.tenancy.routing_table_rules import routing_document

GUIDE = {
    "tiers": {
        "free": {"simple": "claude-sonnet-4-5", "complex": "claude-sonnet-4-5"},
        "pro": {"simple": "claude-sonnet-4-5", "complex": "claude-opus-4-1"},
    },
    "default_tier": "free",
}


def test_tier_by_complexity_gives_a_model() -> None:
    """T13: an unknown tier is treated as free."""
    table = routing_table(routing_document(GUIDE))
    assert table is not None
    assert table.model(table.tier("pro"), COMPLEX) == "claude-opus-4-1"
    assert table.model(table.tier("pro"), SIMPLE) == "claude-sonnet-4-5"
    assert (table.tier("gold"), table.tier(None)) == ("free", "free")
    assert table.complexity == ComplexityRules()


def test_nobody_who_sets_a_tier_has_no_table() -> None:
    """Rules of complexity alone route nothing."""
    assert routing_table() is None
    assert routing_table(routing_document({"complexity": {"length": 5}}), routing_document(None)) is None


def test_each_entry_is_the_nearest_owners() -> None:
    """Tenant over workspace over organization: tier by tier, and rule by rule of complexity."""
    organization = routing_document({**GUIDE, "complexity": {"length": 100, "tools": False}})
    workspace = routing_document({"tiers": {"pro": "@one/only"}, "complexity": {"length": 50}})
    tenant = routing_document({"default_tier": "pro", "complexity": {"keywords": ["Prove", " derive "]}})
    table = routing_table(organization, workspace, tenant)
    assert table is not None
    assert (table.model("pro", SIMPLE), table.model("pro", COMPLEX)) == ("@one/only", "@one/only")
    assert table.model("free", SIMPLE) == "claude-sonnet-4-5"
    assert table.tier("gold") == "pro"
    assert table.complexity == ComplexityRules(length=50, keywords=("prove", "derive"), tools=False)


def test_a_default_tier_that_is_not_there_is_not_taken() -> None:
    """Then `free`, and without one the first by name."""
    table = routing_table(routing_document({"tiers": {"b": "m", "free": "n"}, "default_tier": "gone"}))
    assert table is not None
    assert table.tier(None) == "free"
    table = routing_table(routing_document({"tiers": {"b": "m", "c": "n"}}))
    assert table is not None
    assert table.tier(None) == "b"


REFUSED: list[tuple[Any, str]] = [
    ([], "routing_table"),
    ({"tier": {}}, "routing_table.tier"),
    ({"tiers": {}}, "routing_table.tiers"),
    ({"tiers": {"free": {}}}, "routing_table.tiers.free"),
    ({"tiers": {"free": {"easy": "m"}}}, "routing_table.tiers.free.easy"),
    ({"tiers": {"free": "auto"}}, "routing_table.tiers.free.simple"),
    ({"tiers": {"free": {"simple": "@one"}}}, "routing_table.tiers.free.simple"),
    ({"complexity": {"length": -1}}, "routing_table.complexity.length"),
    ({"complexity": {"keywords": [""]}}, "routing_table.complexity.keywords[0]"),
    ({"complexity": {"images": "yes"}}, "routing_table.complexity.images"),
]


@pytest.mark.parametrize(("document", "param"), REFUSED)
def test_what_a_table_cannot_be_is_refused_by_name(document: Any, param: str) -> None:
    """The error says which field."""
    with pytest.raises(InvalidRequest) as refused:
        routing_document(document)
    assert refused.value.param == param
