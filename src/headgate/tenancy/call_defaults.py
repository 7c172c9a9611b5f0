"""What keys, workspaces and the organization put onto every call: metadata, a config, guardrails.

Of `defaults` only what is sent changes; null takes all of it away.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy import metadata_schema, rules
from headgate.tenancy.administration import Change
from headgate.tenancy.api_key import ApiKey, KeyLevel
from headgate.tenancy.attached import config_slug, guardrail_ids
from headgate.tenancy.organization import Organization
from headgate.tenancy.stores import Stores
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.workspace import Workspace

METADATA: Final = "defaults.metadata"
SIDES: Final = ("input_guardrails", "output_guardrails")


def of_key(key: ApiKey, defaults: Mapping[str, Any] | None, change: Change) -> dict[str, Any]:
    """The fields of the key that change. Raises `InvalidRequest` naming what is wrong."""
    sent = _sent(defaults, "metadata", "config_id", "allow_config_override")
    return _metadata_and_config(sent, key.organization_id, key.workspace_id, change)


def of_workspace(workspace: Workspace, defaults: Mapping[str, Any] | None, change: Change) -> dict[str, Any]:
    """The fields of the workspace that change. Raises `InvalidRequest` naming what is wrong."""
    sent = _sent(defaults, "metadata", "config_id", "allow_config_override", *SIDES)
    changes = _metadata_and_config(sent, workspace.organization_id, workspace.id, change)
    return changes | _guardrails(sent, workspace.organization_id, workspace.id, change)


def of_organization(organization: Organization, defaults: Mapping[str, Any] | None, change: Change) -> dict[str, Any]:
    """The fields of the organization that change. Needs the scope `organisation_guardrails.update`."""
    change.principal.require("organisation_guardrails.update")
    return _guardrails(_sent(defaults, *SIDES), organization.id, None, change)


def conforming_key(key: ApiKey, change: Change) -> ApiKey:
    """With what the organization's schema adds to its metadata. Raises `InvalidRequest` for what the schema does not
    allow. An admin key makes no calls, so it needs no metadata."""
    if key.level is KeyLevel.ORGANIZATION:
        return key
    schema = _organization(change.stores, key.organization_id).api_key_metadata_schema
    return replace(key, metadata=metadata_schema.applied(schema, key.metadata, METADATA))


def conforming_workspace(workspace: Workspace, change: Change) -> Workspace:
    """As `conforming_key`, by the schema for workspaces."""
    schema = _organization(change.stores, workspace.organization_id).workspace_metadata_schema
    return replace(workspace, metadata=metadata_schema.applied(schema, workspace.metadata, METADATA))


def refuse_not_conforming_tenant(tenant: Tenant, change: Change) -> None:
    """A tenant's metadata lies over that of its keys, so what it says must be allowed there."""
    schema = _organization(change.stores, tenant.organization_id).api_key_metadata_schema
    metadata_schema.permitted(schema, tenant.metadata, "metadata")


def _sent(defaults: Mapping[str, Any] | None, *names: str) -> Mapping[str, Any]:
    return dict.fromkeys(names) if defaults is None else defaults


def _metadata_and_config(
    sent: Mapping[str, Any], organization_id: str, workspace_id: str | None, change: Change
) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "metadata" in sent:
        changes["metadata"] = rules.metadata(sent["metadata"])
    if "config_id" in sent:
        param = "defaults.config_id"
        if sent["config_id"] is not None and workspace_id is None:
            raise InvalidRequest(f"`{param}` is for calls, and a key of the organisation makes none.", param=param)
        changes["config_id"] = config_slug(change.stores, organization_id, workspace_id, sent["config_id"], param)
    if "allow_config_override" in sent:
        changes["allow_config_override"] = sent["allow_config_override"] is not False
    return changes


def _guardrails(
    sent: Mapping[str, Any], organization_id: str, workspace_id: str | None, change: Change
) -> dict[str, Any]:
    return {
        side: guardrail_ids(change.stores, organization_id, workspace_id, sent[side], f"defaults.{side}")
        for side in SIDES
        if side in sent
    }


def _organization(stores: Stores, organization_id: str) -> Organization:
    organization = stores.organizations.get(organization_id)
    assert organization is not None
    return organization
