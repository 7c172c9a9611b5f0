"""Which calls a limit policy counts, and in which counter."""

from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from headgate.ledger.allowance import Resource
from headgate.tenancy import limit_policy_rules
from headgate.tenancy.limit_policy import Facts, LimitKind, LimitPolicy, facts_of
from headgate.tenancy.limits import UTC, UsageLimit

CALL: dict[str, Any] = {
    "organization_id": "org",
    "workspace_id": "ws",
    "tenant_id": None,
    "key_id": "key",
    "provider": "openai-prod",
    "model": "gpt-4o",
    "endpoint": "/v1/chat/completions",
    "config": "pc-1",
    "prompt": "",
    "metadata": {"user": "ann", "tier": "gold"},
}


def facts(**more: Any) -> Facts:
    return facts_of(**{**CALL, **more})


def policy(*conditions: dict[str, Any], group_by: tuple[str, ...] = (), **more: Any) -> LimitPolicy:
    fields: dict[str, Any] = {
        "id": "pol",
        "organization_id": "org",
        "name": "p",
        "limit_kind": LimitKind.USAGE,
        "usage_limits": (UsageLimit(Resource.COST, 10),),
        "created_at": 0,
        "updated_at": 0,
    }
    found = limit_policy_rules.conditions(list(conditions))
    return LimitPolicy(**{**fields, "conditions": found, "group_by": group_by, **more})


@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        ({"key": "api_key", "value": "key"}, True),
        ({"key": "api_key", "value": ["other", "key"]}, True),
        ({"key": "api_key", "value": "other"}, False),
        ({"key": "api_key", "value": "key", "excludes": True}, False),
        ({"key": "model", "value": "*", "excludes": "@openai-prod/gpt-4o"}, False),
        ({"key": "model", "value": "@openai-prod/*", "excludes": ["@openai-prod/gpt-5"]}, True),
        ({"key": "model", "value": "@anthropic/*", "excludes": ["@openai-prod/gpt-5"]}, False),
        ({"key": "model", "excludes": ["@openai-prod/*"]}, False),
        ({"key": "provider", "value": "openai-prod"}, True),
        ({"key": "virtual_key", "value": "openai-prod"}, True),
        ({"key": "model", "value": "@openai-prod/gpt-4o"}, True),
        ({"key": "model", "value": "@openai-prod/*"}, True),
        ({"key": "model", "value": "@openai-prod/gpt-4"}, False),
        ({"key": "model", "value": "@OpenAI-prod/*"}, False),
        ({"key": "model", "value": "@anthropic/*", "excludes": True}, True),
        ({"key": "config", "value": "pc-1"}, True),
        ({"key": "config", "value": "pc-2"}, False),
        ({"key": "prompt", "value": "pp-1"}, False),
        ({"key": "prompt", "value": "pp-1", "excludes": True}, True),
        ({"key": "endpoint_type", "value": "chat/completions"}, True),
        ({"key": "endpoint_type", "value": "/v1/chat/completions"}, True),
        ({"key": "endpoint_type", "value": ["embeddings", "chat/*"]}, True),
        ({"key": "endpoint_type", "value": "completions"}, False),
        ({"key": "endpoint_type", "value": "images/*", "excludes": True}, True),
        ({"key": "metadata.tier", "value": "gold"}, True),
        ({"key": "metadata.tier", "value": "go*"}, True),
        ({"key": "metadata.absent", "value": "x"}, False),
        ({"key": "metadata.absent", "value": "x", "excludes": True}, True),
        ({"key": "metadata.absent", "value": "*"}, True),
        ({"key": "tenant_id", "value": "x", "excludes": True}, True),
    ],
)
def test_conditions(condition: dict[str, Any], applies: bool) -> None:
    """One value or several, wildcards at the end, exclusions; what a call lacks is none of the values."""
    assert (policy(condition).group_of(facts()) is not None) is applies


def test_all_conditions_must_be_met() -> None:
    """And calls of other workspaces and organizations are never a policy's."""
    two = ({"key": "metadata.tier", "value": "gold"}, {"key": "model", "value": "@openai-prod/*"})
    assert policy(*two).group_of(facts()) == ()
    assert policy(*two).group_of(facts(provider="groq")) is None
    assert policy(workspace_id="other").group_of(facts()) is None
    assert policy().group_of(facts(organization_id="other")) is None


def test_one_counter_for_each_value() -> None:
    """The id is the same for the same values and conditions, whatever the cap; calls without a value share one."""
    by_user = policy(group_by=("metadata.user", "model"))
    ann, bob = by_user.group_of(facts()), by_user.group_of(facts(metadata={"user": "bob"}))
    assert ann == ("ann", "@openai-prod/gpt-4o")
    assert ann is not None
    assert bob is not None
    first = by_user.allowance(ann, UTC)
    dearer = policy(group_by=("metadata.user", "model"), usage_limits=(UsageLimit(Resource.COST, 99),))
    assert dearer.allowance(ann, UTC).id == first.id
    assert by_user.allowance(bob, UTC).id != first.id
    narrower = policy({"key": "api_key", "value": "key"}, group_by=("metadata.user", "model"))
    assert narrower.allowance(ann, UTC).id != first.id
    assert by_user.group_of(facts(metadata={})) == (None, "@openai-prod/gpt-4o")
    assert (first.scope.kind, first.scope.name) == ("policy", "p (metadata.user=ann, model=@openai-prod/gpt-4o)")


def test_figures_of_several_customers_are_hidden() -> None:
    """A pot of the whole organization is shown to nobody; a workspace's, or a key's own, is."""
    assert policy().allowance((), UTC).scope.hidden
    assert not policy(workspace_id="ws").allowance((), UTC).scope.hidden
    assert not policy(group_by=("api_key",)).allowance(("key",), UTC).scope.hidden


@pytest.mark.parametrize(
    ("written", "param"),
    [
        ({"key": "endpoint", "value": "x"}, "conditions[0].key"),
        ({"key": 'metadata.a"b', "value": "x"}, "conditions[0].key"),
        ({"key": "api_key"}, "conditions[0].value"),
        ({"key": "api_key", "value": []}, "conditions[0].value"),
        ({"key": "model", "value": "*/gpt"}, "conditions[0].value"),
        ({"key": "model", "value": "*", "excludes": True}, "conditions[0].value"),
        ({"key": "model", "value": "x", "excludes": 1}, "conditions[0].excludes"),
        ({"key": "model", "value": "x", "excludes": []}, "conditions[0].value"),
        ({"key": "endpoint_type", "value": "chat"}, "conditions[0].value"),
        ({"key": "endpoint_type", "value": "/v1/*", "excludes": True}, "conditions[0].value"),
    ],
)
def test_what_is_no_condition_is_refused(written: dict[str, Any], param: str) -> None:
    """By name."""
    with pytest.raises(InvalidRequest) as refused:
        limit_policy_rules.conditions([written])
    assert refused.value.param == param
