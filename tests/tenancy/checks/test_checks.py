"""The checks that come with Headgate, and the registry that others join."""

import time
from pathlib import Path
from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from headgate.tenancy.checks.check import ModelCheckKind, Parameters, TextCheckKind
from headgate.tenancy.checks.registry import checks, registered


def text_check(name: str, **parameters: Any) -> Any:
    kind = checks()[f"default.{name}"]
    assert isinstance(kind, TextCheckKind)
    return kind.build(Parameters(parameters, "parameters"))


def model_check(name: str, **parameters: Any) -> Any:
    kind = checks()[f"default.{name}"]
    assert isinstance(kind, ModelCheckKind)
    return kind.build(Parameters(parameters, "parameters"))


@pytest.mark.parametrize(
    ("name", "parameters", "passes", "fails"),
    [
        ("regexMatch", {"rule": r"\b\d{4}\b"}, "pin 1234", "pin 12345"),
        ("regexMatch", {"rule": "(?i)secret", "not": True}, "fine", "SECRET"),
        ("contains", {"words": ["a", "b"]}, "xb", "xyz"),
        ("contains", {"words": ["a", "b"], "operator": "all"}, "ab", "a"),
        ("contains", {"words": ["a", "b"], "operator": "none"}, "xyz", "b"),
        ("wordCount", {"minWords": 2, "maxWords": 3}, "one two\nthree", "one"),
        ("characterCount", {"maxCharacters": 2.0}, "é😀", "abc"),
        ("sentenceCount", {"minSentences": 2}, "One. Two!", "One. two"),
        ("endsWith", {"suffix": "end"}, "the end.", "the end!"),
        ("alluppercase", {}, "ABC 1", "Abc"),
        ("alllowercase", {"not": True}, "Abc", "abc"),
    ],
)
def test_checks_of_texts(name: str, parameters: dict[str, Any], passes: str, fails: str) -> None:
    """Each passes what it should and nothing else."""
    check = text_check(name, **parameters)
    assert (check(passes), check(fails)) == (True, False)


@pytest.mark.parametrize("outer", ["rules", "model_rules"])
@pytest.mark.parametrize("member", ["metadata", "metadata_routing"])
def test_model_rules_in_every_spelling(outer: str, member: str) -> None:
    """R3.4: the guide's words and the product's."""
    by_tier = {"enterprise": ["*"], "starter": ["gpt-4o-mini"]}
    check = model_check("modelRules", **{outer: {"defaults": ["gpt-5-nano"], member: {"subscription_tier": by_tier}}})
    enterprise, starter = {"subscription_tier": "enterprise"}, {"subscription_tier": "starter"}
    assert check("openai", "gpt-5", enterprise)
    assert check("openai", "gpt-4o-mini", starter)
    assert not check("openai", "gpt-5-nano", starter)  # a list that matches replaces the defaults
    assert check("openai", "gpt-5-nano", {"subscription_tier": "unheard of"})
    assert check("openai", "gpt-5-nano", {})
    assert not check("openai", "gpt-4o-mini", {})


def test_model_rules_turned_around() -> None:
    """With `not` the lists say what is blocked."""
    check = model_check("modelRules", rules={"metadata": {"phi": {"yes": ["@openai/*"]}}}, **{"not": True})
    assert not check("openai", "gpt-5", {"phi": "yes"})
    assert check("azure", "gpt-5", {"phi": "yes"})
    assert check("openai", "gpt-5", {})


def test_several_rules_that_match_add_up() -> None:
    """Every list that the metadata opens counts."""
    check = model_check("modelRules", rules={"metadata": {"a": {"1": ["x"]}, "b": {"1": ["y"]}}})
    assert [check("p", model, {"a": "1", "b": "1"}) for model in ("x", "y", "z")] == [True, True, False]


def test_a_whitelist_names_models_or_providers() -> None:
    """As everywhere: a model, a model of a provider, the beginning of either; also by metadata."""
    check = model_check("modelWhitelist", models=["gpt-4o", "@anthropic/*"])
    assert check("openai", "gpt-4o", {})
    assert check("anthropic", "claude-x", {})
    assert not check("openai", "gpt-4", {})
    rules = [{"metadataKey": "team", "values": ["red", "blue"], "models": ["gpt-5"]}]
    by_metadata = model_check("modelWhitelist", models=["gpt-4o"], metadataRules=rules)
    assert by_metadata("openai", "gpt-5", {"team": "blue"})
    assert not by_metadata("openai", "gpt-5", {"team": "green"})


@pytest.mark.parametrize(
    ("name", "parameters", "param"),
    [
        ("contains", {"words": "a"}, "parameters.words"),
        ("contains", {"words": ["a"], "operator": "some"}, "parameters.operator"),
        ("wordCount", {"minWords": -1}, "parameters.minWords"),
        ("wordCount", {"minWords": 3, "maxWords": 2}, "parameters.maxWords"),
        ("regexMatch", {"rule": "("}, "parameters.rule"),
        ("regexMatch", {"rule": "a", "not": "yes"}, "parameters.not"),
        ("modelRules", {"rules": []}, "parameters.rules"),
        ("modelRules", {"rules": {"metadata": {"k": ["m"]}}}, "parameters.rules.metadata.k"),
        (
            "modelRules",
            {"model_rules": {"metadata_routing": {"k": {"v": "m"}}}},
            "parameters.model_rules.metadata_routing.k.v",
        ),
        ("modelWhitelist", {"models": []}, "parameters.models"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parameters_that_cannot_be_are_refused_by_name(name: str, parameters: dict[str, Any], param: str) -> None:
    """An administrator learns which of them it is."""
    kind = checks()[f"default.{name}"]
    with pytest.raises(InvalidRequest) as refused:
        kind.build(Parameters(parameters, "parameters"))
    assert refused.value.param == param


def test_no_pattern_takes_long() -> None:
    """A text of a megabyte against a pattern that makes others backtrack without end."""
    check = text_check("regexMatch", rule="(a+)+(a+)+b$")
    before = time.process_time()
    assert not check("a" * 1_000_000)
    assert time.process_time() - before < 5


def test_an_installed_package_joins_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but its metadata says that it is there."""
    (tmp_path / "acme_checks.py").write_text(
        "from headgate.tenancy.checks.check import TextCheckKind\n"
        "polite = TextCheckKind('acme.polite', lambda parameters: lambda text: 'please' in text)\n"
    )
    info = tmp_path / "acme_checks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-checks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headgate.guardrails]\npolite = acme_checks:polite\n")
    monkeypatch.syspath_prepend(tmp_path)
    kind = checks.__wrapped__()["acme.polite"]
    assert isinstance(kind, TextCheckKind)
    assert kind.build(Parameters({}, "parameters"))("yes please")


def test_others_join_the_same_registry() -> None:
    """By their own id; what is no check, or takes another's id, is refused when the process starts."""
    mine = TextCheckKind("acme.polite", lambda parameters: lambda text: "please" in text)
    assert registered([mine])["acme.polite"] is mine
    for wrong in ([mine, mine], [object()]):
        with pytest.raises(ValueError, match=r"acme\.polite|no kind of check"):
            registered(wrong)
