"""Who may see and change an integration: the organization's administrators, and of a workspace's own that workspace."""

from headgate.tenancy.integration import Integration
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Stores


def require_for(principal: Principal, verb: str, workspace_id: str | None) -> None:
    """Raises `Forbidden` unless the principal may do this with integrations of the workspace; None: with those of the
    organization."""
    of_workspace = () if workspace_id is None else (f"workspace_integrations.{verb}",)
    principal.require(f"organisation_integrations.{verb}", *of_workspace)


def visible_integration(stores: Stores, principal: Principal, reference: str, verb: str) -> Integration:
    """By id or slug. Raises the same `NotFound` for an absent one and one that a workspace's key may not see, and
    `Forbidden` where the scope is missing."""
    integration = stores.integrations.get(principal.organization_id, reference)
    if integration is None:
        raise not_found("integration", reference)
    principal.require_sight(integration.workspace_id, "integration", reference)
    require_for(principal, verb, integration.workspace_id)
    return integration
