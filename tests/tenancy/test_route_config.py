"""The grammar of configs: what is taken, what is handed down, and what is refused by name."""

from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from headgate.tenancy.route_config import parse
from headgate.tenancy.route_nodes import Balance, Choice, Fallback, Leaf
from headgate.tenancy.route_terms import RETRIED


class Facts:
    """A call, as conditions see it."""

    def __init__(self, metadata: dict[str, str], **params: Any) -> None:
        self.metadata = metadata
        self._params = params

    def param(self, name: str) -> Any:
        return self._params.get(name)


def refused(document: object) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        parse(document)
    return caught.value


def test_a_config_without_targets_is_one_target() -> None:
    """Retries and a provider may stand at the top by themselves."""
    config = parse({"retry": {"attempts": 2}, "provider": "@openai-prod", "override_params": {"model": "m", "seed": 7}})
    leaf = config.root
    assert isinstance(leaf, Leaf)
    assert (leaf.provider, leaf.model, leaf.path) == ("openai-prod", "m", "config")
    assert leaf.terms.retry is not None
    assert (leaf.terms.retry.attempts, leaf.terms.retry.on_status_codes) == (2, RETRIED)
    assert leaf.terms.overrides == (("seed", b"7"),)


def test_a_target_takes_over_what_stands_above_it() -> None:
    """Its own words count; for the rest those of the nodes it stands in. Overrides are merged."""
    config = parse(
        {
            "strategy": {"mode": "fallback", "on_status_codes": [429, 412]},
            "request_timeout": 500,
            "override_params": {"temperature": 0, "seed": 1},
            "input_guardrails": ["g1"],
            "targets": [
                {"provider": "a", "override_params": {"seed": 2}},
                {"virtual_key": "b", "request_timeout": 900, "before_request_hooks": [{"id": "g2"}]},
            ],
        }
    )
    assert isinstance(config.root, Fallback)
    assert config.root.on_status_codes == frozenset({429, 412})
    first, second = config.leaves()
    assert dict(first.terms.overrides) == {"temperature": b"0", "seed": b"2"}
    assert (first.terms.request_timeout_ms, second.terms.request_timeout_ms) == (500, 900)
    assert (first.terms.input_guardrails, second.terms.input_guardrails) == (("g1",), ("g2",))
    assert (second.provider, second.path) == ("b", "config.targets[1]")
    assert (config.providers(), config.guardrails()) == ({"a", "b"}, {"g1", "g2"})


def test_weights_are_exact() -> None:
    """Shares as people write them, without binary fractions."""
    config = parse(
        {
            "strategy": {"mode": "loadbalance", "sticky_session": {"hash_fields": ["metadata.user"], "ttl": 60}},
            "targets": [{"provider": "a", "weight": 0.7}, {"provider": "b", "weight": 0.3}, {"provider": "c"}],
        }
    )
    assert isinstance(config.root, Balance)
    assert config.root.weights == (700_000, 300_000, 1_000_000)
    assert config.root.sticky is not None
    assert config.root.sticky.fields[0].of(Facts({"user": "u"})) == "u"


QUERIES = [
    ({"metadata.plan": "paid"}, True),
    ({"metadata.plan": {"$eq": "free"}}, False),
    ({"metadata.plan": {"$in": ["free", "paid"]}}, True),
    ({"metadata.plan": {"$nin": ["paid"]}}, False),
    ({"metadata.gone": {"$ne": "x"}}, True),
    ({"metadata.gone": None}, True),
    ({"metadata.age": {"$gte": 9, "$lt": 11}}, True),
    ({"metadata.age": 10}, True),
    ({"metadata.plan": {"$regex": "^pa"}}, True),
    ({"metadata.plan": {"$regex": "free|trial"}}, False),
    ({"metadata.gone": {"$regex": ".*"}}, False),
    ({"params.temperature": {"$regex": "0"}}, False),
    ({"metadata.flag": True}, True),
    ({"params.temperature": {"$gt": 0.5}}, False),
    ({"params.temperature": {"$lte": 0.5}}, True),
    ({"params.stream": True}, True),
    ({"params.stream": 1}, False),
    ({"params.tool_choice.function.name": "f"}, True),
    ({"params.tool_choice.missing.name": "f"}, False),
    ({"params.model": {"$gt": 3}}, False),
    ({"$or": [{"metadata.plan": "free"}, {"params.model": "m"}]}, True),
    ({"$and": [{"metadata.plan": "paid"}, {"params.model": "other"}]}, False),
    ({"metadata.plan": "paid", "params.model": "other"}, False),
]


@pytest.mark.parametrize(("query", "holds"), QUERIES)
def test_conditions(query: dict[str, Any], holds: bool) -> None:
    """Every operator, on metadata as text and on the request's own members as they are."""
    config = parse(
        {
            "strategy": {"mode": "conditional", "conditions": [{"query": query, "then": "one"}], "default": "two"},
            "targets": [{"name": "one", "provider": "a"}, {"name": "two", "provider": "b"}],
        }
    )
    assert isinstance(config.root, Choice)
    facts = Facts(
        {"plan": "paid", "age": "10", "flag": "true"},
        model="m",
        temperature=0.5,
        stream=True,
        tool_choice={"function": {"name": "f"}},
    )
    assert config.root.rules[0][0].holds(facts) is holds


@pytest.mark.parametrize(
    "name", ["custom_host", "api_key", "authorization", "forward_headers", "aws_secret_access_key", "azure_resource"]
)
def test_no_config_names_a_host_or_a_credential(name: str) -> None:
    """Anywhere in it, and the refusal says whose business it is."""
    error = refused({"strategy": {"mode": "fallback"}, "targets": [{"provider": "a"}, {name: "x"}]})
    assert error.param == f"config.targets[1].{name}"
    assert "host or a credential" in error.message


def fallback(**strategy: object) -> dict[str, Any]:
    return {"strategy": {"mode": "fallback", **strategy}, "targets": [{}]}


def conditional(*conditions: object) -> dict[str, Any]:
    return {"strategy": {"mode": "conditional", "conditions": list(conditions)}, "targets": [{"name": "a"}]}


REFUSED = [
    ([], "config"),
    ({"stratgey": {}}, "config.stratgey"),
    ({"strategy": {"mode": "fastest"}}, "config.strategy.mode"),
    ({"strategy": {"mode": "fallback"}}, "config.targets"),
    ({"strategy": {"mode": "fallback"}, "targets": []}, "config.targets"),
    (fallback(on_status_codes=[200]), "config.strategy.on_status_codes[0]"),
    ({"retry": {"attempts": 6}}, "config.retry.attempts"),
    ({"retry": {"attempts": 1, "when": 3}}, "config.retry.when"),
    ({"request_timeout": "soon"}, "config.request_timeout"),
    ({"cache": {"mode": "semantic"}}, "config.cache.mode"),
    ({"provider": "a", "virtual_key": "b"}, "config.virtual_key"),
    ({"override_params": {"stream": True}}, "config.override_params.stream"),
    ({"targets": [{"cache": {"mode": "simple"}}]}, "config.targets[0].cache"),
    ({"strategy": {"mode": "loadbalance"}, "targets": [{"weight": -1}]}, "config.targets[0].weight"),
    ({"strategy": {"mode": "loadbalance"}, "targets": [{"weight": 0}]}, "config.targets"),
    ({"strategy": {"mode": "conditional"}, "targets": [{"provider": "a"}]}, "config.targets"),
    (
        conditional({"query": {"user": 1}, "then": "a"}),
        "config.strategy.conditions[0].query.user",
    ),
    (
        conditional({"query": {"params.n": {"$like": "x"}}, "then": "a"}),
        "config.strategy.conditions[0].query.params.n.$like",
    ),
    (
        conditional({"query": {"metadata.plan": {"$regex": "(a)\\1"}}, "then": "a"}),
        "config.strategy.conditions[0].query.metadata.plan.$regex",
    ),
    (
        conditional({"query": {"params.n": 1}, "then": "b"}),
        "config.strategy.conditions[0].then",
    ),
]


@pytest.mark.parametrize(("document", "param"), REFUSED, ids=[param for _, param in REFUSED])
def test_what_a_config_cannot_be_is_refused_by_name(document: object, param: str) -> None:
    """The error says which field, by its path."""
    assert refused(document).param == param


def test_no_guardrails_may_be_said_as_an_empty_list() -> None:
    """As what is attached elsewhere is shown where nothing is."""
    config = parse({"provider": "a", "input_guardrails": [], "output_guardrails": []})
    assert isinstance(config.root, Leaf)
    assert (config.root.terms.input_guardrails, config.root.terms.output_guardrails) == ((), ())


def test_a_config_is_bounded_in_depth_and_number() -> None:
    """Nobody builds a tree that takes longer to walk than the call itself."""
    node: dict[str, Any] = {"provider": "a"}
    for _ in range(5):
        node = {"strategy": {"mode": "fallback"}, "targets": [node]}
    assert "deep" in refused(node).message
    wide = {"strategy": {"mode": "fallback"}, "targets": [{"provider": "a"}] * 20}
    assert "32 targets" in refused({"strategy": {"mode": "fallback"}, "targets": [wide, wide]}).message
