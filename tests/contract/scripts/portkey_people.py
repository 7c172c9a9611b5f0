"""The Portkey SDK's users, invites and members, its user keys, and what it reaches by plain calls."""

from datetime import UTC, datetime

from _told import ARGUMENTS, failure, tell
from portkey_ai import Portkey
from portkey_ai.api_resources import exceptions

admin = Portkey(api_key=ARGUMENTS["admin_key"], base_url=ARGUMENTS["base_url"])
workspace = ARGUMENTS["workspace"]
BEGAN = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: TID251 - a script of its own, without our clock
"""Other scripts have been at the same gateway before."""


def accepted(email, **more):
    made = admin.admin.users.invites.create(email=email, role="member", **more)
    token = made.invite_link.partition("#token=")[2]
    return made.id, admin.post("/admin/users/invites/accept", token=token, first_name="Ann", last_name="Other")


def invites():
    invited, user = accepted(
        "ann@example.com",
        workspaces=[{"id": workspace, "role": "manager"}],
        workspace_api_key_details={"scopes": ["logs.view"]},
    )
    pending = admin.admin.users.invites.create(email="bob@example.com", role="member")
    again = admin.admin.users.invites.resend(invite_id=pending.id)
    shown = admin.admin.users.invites.retrieve(invite_id=pending.id)
    listed = admin.admin.users.invites.list(role="member", status="pending")
    admin.admin.users.invites.delete(invite_id=pending.id)
    cancelled = admin.admin.users.invites.retrieve(invite_id=pending.id)
    return {
        "accepted": admin.admin.users.invites.retrieve(invite_id=invited).status,
        "resent": again.invite_link != pending.invite_link,
        "shown": [shown.email, shown.status, shown.role, shown.accepted_at],
        "listed": [each.email for each in listed.data],
        "cancelled": cancelled.status,
        "keys": len(user.api_keys),
    }, user.id


def users(ann):
    admin.admin.users.update(user_id=ann, role="admin")
    found = admin.admin.users.retrieve(user_id=ann)
    return {
        "listed": [each.email for each in admin.admin.users.list(page_size=10, role="admin").data],
        "found": [found.first_name, found.role, len(found.workspace_ids), found.object],
    }


def members(ann):
    _, bob = accepted("carl@example.com")
    admin.admin.workspaces.users.create(workspace_id=workspace, users=[{"id": bob.id, "role": "member"}])
    admin.admin.workspaces.users.update(workspace_id=workspace, user_id=bob.id, role="manager")
    found = admin.admin.workspaces.users.retrieve(workspace_id=workspace, user_id=bob.id)
    listed = admin.admin.workspaces.users.list(workspace_id=workspace)
    inside = admin.admin.workspaces.retrieve(workspace_id=workspace)
    admin.admin.workspaces.users.delete(workspace_id=workspace, user_id=bob.id)
    missing = failure(
        lambda: admin.admin.workspaces.users.retrieve(workspace_id=workspace, user_id=bob.id), exceptions.NotFoundError
    )
    return {
        "found": [found.role, found.org_role, found.status, "configs.create" in found.scopes],
        "listed": sorted(each["role"] for each in listed.data),
        "inside": sorted(each["role"] for each in inside.users),
        "gone": missing["status"],
    }


def keys(ann):
    made = admin.api_keys.create(
        name="of Ann", type="workspace", sub_type="user", workspace_id=workspace, user_id=ann, scopes=["logs.view"]
    )
    found = admin.api_keys.retrieve(id=made.id)
    admin.admin.users.delete(user_id=ann)
    missing = failure(lambda: admin.api_keys.retrieve(id=made.id), exceptions.NotFoundError)
    return {"found": [found.user_id == ann, found.type], "gone": missing["status"]}


def audit():
    answer = admin.get(path=f"/audit-logs?start_time={BEGAN}&end_time=2100-01-01T00:00:00Z&method=DELETE")
    actions = [f"{each['action']} {each['resource_type']}" for each in answer.json()["records"]]
    return {"actions": actions[::-1], "status": answer.status_code}


told, ann = invites()
tell(invites=told, users=users(ann), members=members(ann), keys=keys(ann), audit=audit())
