"""The Portkey SDK's users, invites and members, with the SDK's own types."""

from tests.support.customer import Customer
from tests.support.sdk import run_script


def test_people_from_their_invite_to_their_removal(customer: Customer) -> None:
    """Each answer passes the SDK's validation; the key of a user who is removed is gone; the log has it all."""
    gateway = customer.gateway
    workspace = gateway.workspace("people")
    found = run_script(
        "portkey-ai",
        "portkey_people.py",
        base_url=f"{gateway.url}/v1",
        admin_key=gateway.admin_key,
        workspace=workspace,
    )
    assert found["invites"] == {
        "accepted": "accepted",
        "resent": True,
        "shown": ["bob@example.com", "pending", "member", None],
        "listed": ["bob@example.com"],
        "cancelled": "cancelled",
        "keys": 1,
    }
    assert found["users"] == {"listed": ["ann@example.com"], "found": ["Ann", "admin", 1, "user"]}
    assert found["members"] == {
        "found": ["manager", "member", "active", True],
        "listed": ["manager", "manager"],
        "inside": ["manager", "manager"],
        "gone": 404,
    }
    assert found["keys"] == {"found": [True, "workspace-user"], "gone": 404}
    assert found["audit"] == {
        "actions": ["delete invite", "delete workspace_user", "delete api_key", "delete api_key", "delete user"],
        "status": 200,
    }
