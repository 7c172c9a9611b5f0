"""Official SDKs beyond conversations: what is no chat, what is kept at the provider, and stored prompts."""

from tests.support.customer import Customer
from tests.support.sdk import run_script
from tests.support.stand import wav

HEARD = "the recording says hello"


def test_openai(customer: Customer) -> None:
    """Each with the SDK's own class for the answer; another customer finds none of it."""
    arguments = customer.arguments("openai")
    other = customer.gateway.key(customer.workspace)
    found = run_script("openai", "openai_tasks.py", **arguments, other=other, wav=wav(1).hex())
    assert found["flagged"] is True
    events = ["image_generation.partial_image", "image_generation.completed"]
    assert found["pictures"] == {"made": 2, "edited": 1, "varied": 1, "events": events}
    assert found["sound"] == {"same": True, "size": 5_004, "heard": [HEARD, HEARD, HEARD]}
    assert (found["kept"]["text"], found["kept"]["then"]) == ("You said: hello there", "You said: and then?")
    assert (found["kept"]["foreign"]["status"], found["kept"]["gone"]["status"]) == (404, 404)
    files = found["files"]
    assert (files["listed"], files["batches"], files["result"], files["deleted"]) == (True, True, "one", True)
    assert files["others"][0] == 0
    assert files["others"][1]["status"] == 404


def test_portkeys_prompts(customer: Customer) -> None:
    """A customer's key calls a prompt that an administrator stored; the record names it."""
    gateway = customer.gateway
    prompt = {
        "name": "Greeting",
        "model": "@openai/sim-fast",
        "string": "Hello {{name}}",
        "parameters": {"max_tokens": 50},
        "workspace_id": customer.workspace,
    }
    slug = gateway.admin("POST", "/prompts", prompt)["slug"]
    key = gateway.key(customer.workspace, scopes=["completions.write", "prompts.render"])
    found = run_script("portkey-ai", "portkey_prompts.py", base_url=f"{gateway.url}/v1", key=key, prompt=slug)
    assert found == {"plain": "You said: Hello Ada", "streamed": "You said: Hello Ada", "rendered": "Hello Ada"}
