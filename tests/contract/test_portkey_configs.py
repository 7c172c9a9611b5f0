"""The Portkey SDK's configs and guardrails, with the SDK's own types."""

from tests.support.customer import Customer
from tests.support.gateway import PROVIDERS, Provider
from tests.support.sdk import run_script

MODEL = "@of-configs/sim-fast"


def test_configs_and_guardrails_from_making_to_removal(customer: Customer) -> None:
    """Each answer passes the SDK's validation; the guide's model rules hold for a key that has them by its config."""
    gateway = customer.gateway
    workspace = gateway.workspace("configs")
    provider = Provider("of-configs", "openai", gateway.simulator + PROVIDERS["openai"][1], ["sim-fast"])
    gateway.integrate(provider, [workspace])
    found = run_script(
        "portkey-ai",
        "portkey_configs.py",
        base_url=f"{gateway.url}/v1",
        admin_key=gateway.admin_key,
        workspace=workspace,
        model=MODEL,
    )
    assert found["guardrails"] == {"made": [True, "pg-", True], "listed": True}
    assert found["configs"] == {"made": [True, "pc-"], "config": True, "listed": True}
    assert found["calls"] == {"enterprise": "You said: hello there", "listed": [[MODEL], []], "starter": 446}
    assert found["removal"] == {"refused": 409, "gone": 404}
