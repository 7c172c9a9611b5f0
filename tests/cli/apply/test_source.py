"""YAML as it is read here: plain values, each with its line, and nothing that can be misread."""

from typing import Any

import pytest

from headgate.cli.apply.errors import BadFile
from headgate.cli.apply.source import parsed


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12", 12),
        ("-3", -3),
        ("010", 10),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("null", None),
        ("", None),
        ("yes", "yes"),
        ("no", "no"),
        ("12:30", "12:30"),
        ("2027-01-31T00:00:00Z", "2027-01-31T00:00:00Z"),
        ("0x10", "0x10"),
        ("'12'", "12"),
    ],
)
def test_scalars(written: str, meant: object) -> None:
    """Numbers, truth and null as in JSON; everything else is text, dates and `yes` too."""
    found = parsed(f"value: {written}").value["value"]
    assert (found, type(found)) == (meant, type(meant))


def test_each_value_has_its_line() -> None:
    """By its place, for messages."""
    source = parsed("workspaces:\n  - slug: a\n  - slug: b\n    defaults:\n      metadata: {tier: x}\n")
    assert source.value == {"workspaces": [{"slug": "a"}, {"slug": "b", "defaults": {"metadata": {"tier": "x"}}}]}
    assert source.lines["workspaces[1].defaults.metadata.tier"] == 5
    assert str(source.wrong("workspaces[1].slug", "no")) == "line 3: `workspaces[1].slug`: no"
    assert str(source.wrong("workspaces[0].absent", "no")) == "line 2: `workspaces[0].absent`: no"


def test_an_alias_is_the_same_again() -> None:
    """One limit, written once, for many."""
    assert parsed("a: &x {n: 1}\nb: [*x, *x]").value["b"] == [{"n": 1}, {"n": 1}]


BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: `a` is there twice"),
        ("a: [", "line 1: this is no YAML"),
        ("a: 1\n---\nb: 1", "line 2: this is no YAML"),
        ("a: \x00", "This is no YAML"),
        ("a: " + "[" * 3000, "This is no YAML"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: `a` has a type of its own"),
        ("a: !!binary aGk=", "line 1: `a` has a type of its own"),
        ("a: &a [*a]", "line 1: the file holds more than can be meant"),
        (BOMB, "the file holds more than can be meant"),
        ("? [a]\n: 1", "line 1: a name must be plain text"),
    ],
    ids=["twice", "torn", "documents", "nul", "deep", "python", "binary", "loop", "bomb", "key"],
)
def test_what_is_refused(text: str, told: Any) -> None:
    """With the line, and nothing is executed."""
    with pytest.raises(BadFile) as caught:
        parsed(text)
    assert told in caught.value.message
