"""The official Portkey SDK asks about usage; what it shows is what was used."""

import json

from tests.support.customer import Customer
from tests.support.sdk import run_script


def test_the_portkey_sdk_s_analytics(customer: Customer) -> None:
    """Every graph and group that it has a method for, an export to the last byte of its file, feedback, and a log."""
    more = {"admin_key": customer.gateway.admin_key, "workspace": customer.workspace}
    found = run_script("portkey-ai", "portkey_analytics.py", **customer.arguments("openai"), **more)
    graphs = found["graphs"]
    assert graphs["requests"] == {"total": 1}
    assert graphs["tokens"]["total"] == 9
    assert graphs["users"] == {"total": 1}
    assert graphs["errors"] == {"total": 0}
    assert graphs["latency"]["avg"] > 0
    assert graphs["feedbacks_weighted"]["avg"] == 1
    assert len(graphs) == 17
    [purpose] = found["groups"]["metadata"]
    assert (purpose["metadata_value"], purpose["requests"], purpose["avg_tokens"]) == ("analytics", 1, 9)
    assert [row["user"] for row in found["groups"]["users"]] == ["ada"]
    assert [row["workspace_slug"] for row in found["groups"]["workspaces"]] == [customer.workspace]
    assert len(found["groups"]["ai_models"]) == len(found["groups"]["api_key"]) == 1
    assert (found["exported"]["status"], found["exported"]["total"], found["exported"]["listed"]) == (
        "success",
        1,
        True,
    )
    [line] = found["exported"]["text"].splitlines()
    assert json.loads(line)["metadata"]["purpose"] == "analytics"
    assert found["summary"]["total_requests"] == 1
    assert found["feedback"] == ["success", 1]
    assert found["sent"] == "success"
