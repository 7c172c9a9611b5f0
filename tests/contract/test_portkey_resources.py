"""The Portkey SDK's resources for integrations, providers, virtual keys and models, with the SDK's own types."""

from tests.support.customer import Customer
from tests.support.gateway import PROVIDERS
from tests.support.sdk import run_script

ECHO = "You said: hello there"
MODELS = ["sim-fast", "sim-huge"]


def test_every_resource_from_making_to_removal(customer: Customer) -> None:
    """Each answer passes the SDK's validation, each credential stays masked, and what is made can be called."""
    gateway = customer.gateway
    workspace = gateway.workspace("resources")
    found = run_script(
        "portkey-ai",
        "portkey_resources.py",
        base_url=f"{gateway.url}/v1",
        admin_key=gateway.admin_key,
        key=gateway.key(workspace),
        workspace=workspace,
        host=gateway.simulator + PROVIDERS["openai"][1],
        models=MODELS,
    )
    assert found["integrations"] == {
        "made": [True, "sdk-openai"],
        "listed": True,
        "masked": "sk-…0001",
        "host": gateway.simulator + PROVIDERS["openai"][1],
        "given": [[True, 500, 1000]],
        "models": dict.fromkeys(MODELS, True),
        "said": ECHO,
    }
    assert found["providers"] == {
        "listed": ["sdk-openai", "sdk-second"],
        "limits": [10, [{"type": "requests", "unit": "rpm", "value": 5}]],
        "note": "changed",
        "integration": "sdk-openai",
        "updated": "sdk-second",
        "said": ECHO,
        "gone": 404,
    }
    assert found["virtual_keys"] == {
        "slug": "old-name",
        "listed": ["old-name"],
        "note": "changed",
        "key": "sk-…0003",
        "gone": 404,
    }
    ids = [f"@sdk-openai/{name}" for name in MODELS]
    assert found["models"] == {"total": [2, 2], "named": ids, "one": [ids[0], "model", "openai", "int"], "deleted": 405}
    assert found["removal"] == {"refused": [409, True]}
