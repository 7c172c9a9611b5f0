"""What a file may declare, and what is said of one that may not, before any server is asked."""

from pathlib import Path

import pytest

from headgate.cli.apply.errors import BadFile
from headgate.cli.apply.platform import declared
from headgate.cli.apply.source import parsed

ROOT = Path(__file__).parent.parent.parent.parent
EXAMPLE = (ROOT / "docs" / "examples" / "platform.yaml").read_text()
ENVIRONMENT = {"OPENAI_API_KEY": "sk-canary-of-openai-0001", "ANTHROPIC_API_KEY": "sk-ant-canary-0001"}


def read(text: str) -> list[str]:
    return [each.title for each in declared(parsed(text), ENVIRONMENT)]


def test_the_example_declares_every_noun() -> None:
    """In the order in which they can be made."""
    titles = read(EXAMPLE)
    assert titles[0] == "organisation"
    assert titles[1] == "workspace workspace-enterprise"
    assert "key Service Key for bob@example.com of workspace-starter" in titles
    assert titles[-1] == "webhook https://hooks.example.com/headgate"
    assert len(titles) == 17


def test_a_credential_is_named_never_written() -> None:
    """It is not in what an object prints, and an integration without a variable is refused."""
    objects = declared(parsed(EXAMPLE), ENVIRONMENT)
    assert "canary" not in repr(objects)
    assert "(from OPENAI_API_KEY)" in [str(each.fields.get("key")) for each in objects]


LITERAL = "sk-live-1234567890abcdef"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("{env: OPENAI_API_KEY}", LITERAL, "line 40: `integrations[0].key`: a credential does not go into this file"),
        ("{env: OPENAI_API_KEY}", "short", "line 40: `integrations[0].key`: a credential does not go into this file"),
        ("{env: OPENAI_API_KEY}", "{env: NOPE}", "the environment variable NOPE is not set"),
        ("description: Starter customers", f"description: {LITERAL}", "a credential does not go into this file"),
        ("max_tokens_per_day", "max_token_per_day", "`tenants[0].max_token_per_day`: is not known here"),
        ("config_id: patient", "config: patient", "`workspaces[2].defaults.config`: is not known here"),
        ("credit_limit: 25, alert", "credit_limt: 25, alert", "usage_limits[0].credit_limt`: is not known here"),
        ("email: ann@example.com", "email: ann", "`users[0].email`"),
        ("email: ann@example.com", "password: hunter2hunter2", "`users[0].password`: is not known here"),
        ("\ntenants:", "\ntenant:", "`tenant`: there is no such section"),
        ("\n  rate_limits:\n", "\n  rates:\n", "`policies.rates`: there is no such section"),
        ("name: Acme Corporation\n", "name: [1]\n", "`tenants[0].name`"),
        ("slug: workspace-starter", "slug: workspace-professional", "is there twice; first at `workspaces[1]`"),
        ("openai-batch\n    workspace_id: workspace-enterprise", "openai-batch", "`providers[0].workspace_id`"),
        ("    workspace_id: workspace-enterprise\n    tenant_id", "    tenant_id", "name the tenant's workspace too"),
        ("https://hooks.example.com/headgate", "ftp://hooks.example.com", "`webhooks[0].url`"),
        ("\n      credit_limit: 5\n", "\n      reset_usage: true\n", "reset_usage`: is not known here"),
    ],
)  # fmt: skip
def test_what_is_refused(before: str, after: str, told: str) -> None:
    """With the line and the place, and never with the value."""
    assert before in EXAMPLE
    with pytest.raises(BadFile) as caught:
        read(EXAMPLE.replace(before, after, 1))
    assert told in caught.value.message
    assert LITERAL not in caught.value.message


@pytest.mark.parametrize("text", ["", "[]", "workspaces: {}", "organisation: []", "policies: []", "keys: [1]"])
def test_what_has_another_shape_is_refused(text: str) -> None:
    """Whatever it is."""
    with pytest.raises(BadFile):
        read(text)
