"""What a config comes to for one call: where it begins, and the ways on."""

from typing import Any

import pytest

from headgate.base.errors import HeadgateError, InvalidRequest, ModelNotAllowed, NotFound
from headgate.catalog.catalog import Catalog
from headgate.routing.balancer import Balancer
from headgate.routing.configs import Ask, Configs
from headgate.routing.health import Health
from headgate.routing.option import Option
from headgate.routing.router import Router
from headgate.tenancy.policy import ModelAccess, Policy
from headgate.tenancy.route_config import parse
from tests.support.ledger import ManualClock
from tests.support.policies import policy, provider

CATALOG = Catalog.load()
CLOCK = ManualClock()
HEALTH = Health(CLOCK)
CONFIGS = Configs(Router(CATALOG), Balancer(HEALTH, CLOCK, lambda: 0.0))
THREE = policy(
    provider("one"),
    provider("two"),
    provider("few", models=ModelAccess(allow_all=False, enabled=frozenset({"gpt-4o"}))),
)


class Params:
    """A request's members."""

    def __init__(self, **members: Any) -> None:
        self._members = members

    def value(self, name: str) -> Any:
        return self._members.get(name)


def option(
    document: object, model: str | None = "gpt-4o", of: Policy = THREE, hint: str | None = None, **metadata: str
) -> Option:
    ask = Ask(of, model, model, hint, "openai_chat", metadata, Params(model=model), CLOCK.now())
    return CONFIGS.option(parse(document), ask)


def place(found: Option | None) -> tuple[str, str] | None:
    return None if found is None else (found.target.provider.slug, found.target.model)


def fallback(*targets: object, codes: list[int] | None = None, **more: object) -> dict[str, object]:
    strategy = {"mode": "fallback"} | ({} if codes is None else {"on_status_codes": codes})
    return {"strategy": strategy, "targets": list(targets), **more}


def test_a_target_names_what_the_call_does_not() -> None:
    """The provider of the config with the model of the call, whoever the call named; or the config's own model."""
    assert place(option({"provider": "@two"})) == ("two", "gpt-4o")
    assert place(option({"provider": "two"}, "@one/gpt-4o")) == ("two", "gpt-4o")
    assert place(option({"override_params": {"model": "@two/gpt-4o-mini"}}, hint="one")) == ("two", "gpt-4o-mini")
    assert place(option({"retry": {"attempts": 1}}, hint="one")) == ("one", "gpt-4o")
    assert option({"provider": "two", "model": "gpt-4o-mini"}).plan.model_asked == "gpt-4o"


def test_a_fallback_leads_on_after_its_codes() -> None:
    """In order, and nowhere after the last."""
    first = option(fallback({"provider": "one"}, {"provider": "two"}, codes=[500]))
    assert place(first) == ("one", "gpt-4o")
    assert first.elsewhere({400}) is None
    second = first.elsewhere({408, 500})
    assert place(second) == ("two", "gpt-4o")
    assert second is not None
    assert (second.path, second.elsewhere({500})) == ("config.targets[1]", None)
    assert place(option(fallback({"provider": "one"}, {"provider": "two"})).elsewhere({400})) == ("two", "gpt-4o")


def test_fallbacks_within_fallbacks_go_the_nearest_way_first() -> None:
    """An inner one that does not know the code leaves it to the outer one."""
    inner = fallback({"provider": "one"}, {"provider": "two"}, codes=[429])
    first = option(fallback(inner, {"provider": "few"}, codes=[500]))
    assert place(first.elsewhere({429})) == ("two", "gpt-4o")
    assert place(first.elsewhere({500})) == ("few", "gpt-4o")
    assert [place(each) for each in first.all()] == [("one", "gpt-4o"), ("two", "gpt-4o"), ("few", "gpt-4o")]


def test_what_the_caller_may_not_use_is_stepped_over_where_the_codes_say_so() -> None:
    """412 is the status of a model that is not allowed, 404 that of a provider that is not here."""
    assert place(option(fallback({"provider": "few"}, {"provider": "one"}), "gpt-4o-mini")) == ("one", "gpt-4o-mini")
    with pytest.raises(ModelNotAllowed):
        option(fallback({"provider": "few"}, {"provider": "one"}, codes=[500]), "gpt-4o-mini")
    with pytest.raises(NotFound):
        option(fallback({"provider": "gone"}, {"provider": "few"}), "gpt-4o-mini")
    cut = option(fallback({"provider": "one"}, {"provider": "gone"}, {"provider": "two"}, codes=[500]))
    assert cut.elsewhere({500}) is None


def test_one_of_a_balance_is_taken_and_its_way_on_is_the_fallbacks() -> None:
    """Targets that are not there for this caller get no share."""
    balance = {
        "strategy": {"mode": "loadbalance"},
        "targets": [{"provider": "gone", "weight": 9}, {"provider": "two", "weight": 1}],
    }
    assert place(option(balance)) == ("two", "gpt-4o")
    first = option(fallback(balance, {"provider": "one"}))
    assert (place(first), place(first.elsewhere({502}))) == (("two", "gpt-4o"), ("one", "gpt-4o"))
    nobody = {"strategy": {"mode": "loadbalance"}, "targets": [{"provider": "gone"}]}
    assert place(option(fallback(nobody, {"provider": "one"}))) == ("one", "gpt-4o")
    with pytest.raises(NotFound):
        option(nobody)


def test_the_first_condition_that_holds_decides() -> None:
    """Else the default; and without one the caller is told."""
    strategy: dict[str, Any] = {
        "mode": "conditional",
        "conditions": [
            {"query": {"metadata.plan": "paid"}, "then": "good"},
            {"query": {"params.model": "gpt-4o"}, "then": "usual"},
        ],
    }
    targets = [{"name": "good", "provider": "one"}, {"name": "usual", "provider": "two"}]
    document: dict[str, Any] = {"strategy": strategy, "targets": targets}
    assert place(option(document, plan="paid")) == ("one", "gpt-4o")
    assert place(option(document, plan="free")) == ("two", "gpt-4o")
    with pytest.raises(InvalidRequest) as refused:
        option(document, "gpt-4o-mini")
    assert refused.value.param == "config.strategy.default"
    strategy["default"] = "usual"
    assert place(option(document, "gpt-4o-mini")) == ("two", "gpt-4o-mini")


def test_sticky_calls_of_one_user_stay_together() -> None:
    """By the fields that the config names, within a workspace; calls without them are balanced as others."""
    document = {
        "strategy": {"mode": "loadbalance", "sticky": {"hash_fields": ["metadata._user"]}},
        "targets": [{"provider": "one"}, {"provider": "two"}],
    }
    found = {user: {place(option(document, _user=user)) for _ in range(5)} for user in map(str, range(50))}
    assert all(len(places) == 1 for places in found.values())
    assert len({next(iter(places)) for places in found.values()}) == 2


def test_no_way_through_a_config_goes_past_what_a_policy_allows() -> None:
    """Every option of every shape resolves as a call that names it would."""
    for document in (
        fallback({"provider": "few"}, {"provider": "few"}),
        {"provider": "few"},
        {"model": "@few/gpt-4o-mini"},
    ):
        with pytest.raises(HeadgateError):
            option(document, "gpt-4o-mini")
