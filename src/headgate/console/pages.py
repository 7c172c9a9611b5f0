"""The table of the console's pages: who opens which."""

from typing import Final

from headgate.console import account, audit, keys, overview, requests, tenants, workspaces
from headgate.console.navigation import KEY_LISTS
from headgate.console.visit import Page

PAGES: Final[tuple[tuple[str, str, Page, tuple[str, ...]], ...]] = (
    ("GET", "", overview.show, ()),
    ("GET", "/workspaces", workspaces.listed, ("workspaces.list",)),
    ("GET", "/workspaces/new", workspaces.new, ("workspaces.create",)),
    ("POST", "/workspaces/new", workspaces.create, ("workspaces.create",)),
    ("GET", "/workspaces/{workspace}", workspaces.show, ("workspaces.read",)),
    ("GET", "/workspaces/{workspace}/edit", workspaces.edit, ("workspaces.update",)),
    ("POST", "/workspaces/{workspace}/edit", workspaces.update, ("workspaces.update",)),
    ("POST", "/workspaces/{workspace}/reset", workspaces.reset, ("workspaces.update",)),
    ("POST", "/workspaces/{workspace}/remove", workspaces.remove, ("workspaces.delete",)),
    ("POST", "/workspaces/{workspace}/members", workspaces.add_member, ("workspace_users.create",)),
    (
        "POST",
        "/workspaces/{workspace}/members/{user}",
        workspaces.change_member,
        ("workspace_users.update", "workspace_users.delete"),
    ),
    ("GET", "/tenants", tenants.listed, ("tenants.list",)),
    ("GET", "/tenants/new", tenants.new, ("tenants.create",)),
    ("POST", "/tenants/new", tenants.create, ("tenants.create",)),
    ("GET", "/tenants/{tenant}", tenants.show, ("tenants.read",)),
    ("GET", "/tenants/{tenant}/edit", tenants.edit, ("tenants.update",)),
    ("POST", "/tenants/{tenant}/edit", tenants.update, ("tenants.update",)),
    ("GET", "/keys", keys.listed, KEY_LISTS),
    ("GET", "/keys/new", keys.new, keys.CREATE),
    ("POST", "/keys/new", keys.create, keys.CREATE),
    ("GET", "/keys/{key}", keys.ask, (*keys.ROTATE, *keys.REVOKE)),
    ("POST", "/keys/{key}/rotate", keys.rotate, keys.ROTATE),
    ("POST", "/keys/{key}/revoke", keys.revoke, keys.REVOKE),
    ("GET", "/requests", requests.listed, ("logs.list",)),
    ("GET", "/requests/{request}", requests.show, ("logs.view",)),
    ("GET", "/audit", audit.listed, ("audit_logs.list",)),
    ("GET", "/audit/check", audit.checked, ("audit_logs.list",)),
    ("GET", "/account", account.show, ()),
    ("POST", "/account/password", account.change_password, ()),
    ("POST", "/account/workspace", account.choose_workspace, ()),
    ("POST", "/sign-out", account.end_session, ()),
)
"""Method, path, page, and the scopes of which one opens it; without, everybody who has signed in may."""
