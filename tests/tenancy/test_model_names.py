"""Lists of models by name: `@provider/model`, `model`, and patterns of either."""

import pytest

from headgate.tenancy.model_names import ModelNames, may_allow


@pytest.mark.parametrize(
    ("names", "provider", "model", "allowed"),
    [
        (["@openai/gpt-4o"], "openai", "gpt-4o", True),
        (["@openai/gpt-4o"], "azure", "gpt-4o", False),
        (["gpt-4o"], "azure", "gpt-4o", True),
        (["gpt-4o"], "azure", "gpt-4o-mini", False),
        (["gpt-4o*"], "azure", "gpt-4o-2024-08-06", True),
        (["@openai/*"], "openai", "anything/at-all", True),
        (["@openai/*"], "openai-eu", "gpt-4o", False),
        (["@openai/gpt-4o*"], "openai", "gpt-4o-mini", True),
        (["*"], "openai", "gpt-4o", True),
        (["GPT-4o"], "openai", "gpt-4o", False),
        (["a", "@openai/m"], "openai", "m", True),
    ],
)
def test_what_is_on_the_list(names: list[str], provider: str, model: str, allowed: bool) -> None:
    """In one spelling or the other; a name is what was written, to the letter."""
    assert ModelNames(names).allow(provider, model) is allowed


@pytest.mark.parametrize(
    ("names", "name", "allowed"),
    [
        (["@openai/m"], "@openai/m", True),
        (["@openai/m"], "@azure/m", False),
        (["@openai/m"], "m", True),
        (["m"], "@azure/m", True),
        (["@openai/*"], "m", True),
        (["@openai/gpt*"], "claude", False),
        (["gpt-4o"], "gpt-4o-mini", False),
    ],
)
def test_whether_a_list_may_allow_a_name(names: list[str], name: str, allowed: bool) -> None:
    """A plain name may mean any provider's model: only what no provider could make right is refused beforehand."""
    assert may_allow(names, name) is allowed
