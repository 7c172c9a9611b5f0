"""Where one can go from every page, in groups, each entry for those who may open its page."""

from typing import Final, NamedTuple

KEY_LISTS: Final = tuple(
    f"{kind}_api_keys.list" for kind in ("organisation_service", "workspace_service", "workspace_user")
)

PRICE_READERS: Final = (
    "organisation_integrations.read",
    "workspace_integrations.read",
    "models.list",
    "completions.write",
)


class Entry(NamedTuple):
    """`path` is below the console's own; one of `scopes` opens the page."""

    name: str
    path: str
    scopes: tuple[str, ...]


NAVIGATION: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    ("", (Entry("Overview", "", ("analytics.view",)),)),
    (
        "Customers",
        (
            Entry("Workspaces", "/workspaces", ("workspaces.list",)),
            Entry("Tenants", "/tenants", ("tenants.list",)),
            Entry("API keys", "/keys", KEY_LISTS),
            Entry("Policies", "/policies", ("policies.list",)),
        ),
    ),
    (
        "Models",
        (
            Entry("Integrations", "/integrations", ("organisation_integrations.list", "workspace_integrations.list")),
            Entry("Models and prices", "/models", PRICE_READERS),
        ),
    ),
    (
        "Routing",
        (
            Entry("Routing table", "/routing", ("organisation_settings.read", "workspaces.read", "tenants.read")),
            Entry("Dry run", "/dry-run", ("tenants.read", "workspaces.read")),
            Entry("Configs", "/configs", ("configs.list",)),
            Entry("Guardrails", "/guardrails", ("guardrails.list", "organisation_guardrails.list")),
        ),
    ),
    (
        "Activity",
        (
            Entry("Analytics", "/analytics", ("analytics.view",)),
            Entry("Requests", "/requests", ("logs.list",)),
        ),
    ),
    (
        "Alerts",
        (
            Entry("Alerts", "/alerts", ("webhooks.read",)),
            Entry("Webhooks", "/webhooks", ("webhooks.list",)),
        ),
    ),
    (
        "Organization",
        (
            Entry("Settings", "/settings", ("organisation_settings.read",)),
            Entry("People", "/people", ("organisation_users.list",)),
            Entry("Audit log", "/audit", ("audit_logs.list",)),
            Entry("System", "/system", ("organisation_settings.read",)),
        ),
    ),
)
"""Groups of entries; a group nobody may see anything of is not shown."""
