"""Configs and guardrails with their versions, and metadata schemas, on both engines."""

from typing import Any

from headgate.storage.database import Database
from headgate.storage.stores import SqlTransactions
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration
from headgate.tenancy.configs import ConfigService
from headgate.tenancy.founding import found
from headgate.tenancy.guardrails import GuardrailService
from headgate.tenancy.organizations import OrganizationService
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Page
from headgate.tenancy.workspaces import WorkspaceService
from tests.support.ledger import ManualClock

CONFIG: dict[str, Any] = {"targets": [{"provider": "@a", "weight": 0.5, "override_params": {"x": [1, None, "é"]}}]}
CHECKS = [{"id": "default.contains", "parameters": {"words": ["😀"], "operator": "none"}}]
SCHEMA = {"type": "object", "properties": {"tier": {"type": "string", "pattern": "^[a-z]+$", "default": "free"}}}


async def founded(database: Database) -> tuple[Administration, Principal]:
    administration = Administration(SqlTransactions(database), ManualClock(1))
    organization = await found(administration, keys.mint(b"p" * keys.PEPPER_BYTES))
    assert organization is not None
    return administration, Principal.operator(organization.id)


async def test_documents_come_back_as_they_were_written(database: Database) -> None:
    """Configs, checks and schemas, with every version, the newest first."""
    administration, operator = await founded(database)
    configs, guardrails = ConfigService(administration), GuardrailService(administration)
    made = (await configs.create(operator, {"name": "c", "config": CONFIG, "workspace_id": "default"})).config
    changed = (await configs.update(operator, made.slug, {"config": {}, "is_default": True})).config
    assert (await configs.get(operator, made.id)).config == changed
    versions, total = await configs.versions(operator, made.slug, Page(limit=1))
    assert (total, [version.document["config"] for version in versions]) == (2, [{}])
    [first] = (await configs.versions(operator, made.slug, Page(offset=1)))[0]
    assert (first.number, first.document["config"], first.actor) == (1, CONFIG, "operator")
    guardrail = await guardrails.create(operator, {"name": "g", "checks": CHECKS})
    assert (await guardrails.get(operator, guardrail.slug)) == guardrail
    assert guardrail.checks[0]["parameters"] == CHECKS[0]["parameters"]
    fields = {"api_key_metadata_schema": SCHEMA, "defaults": {"input_guardrails": [guardrail.slug]}}
    organizations = OrganizationService(administration)
    await organizations.update(operator, fields)
    kept = await organizations.get(operator)
    assert (kept.api_key_metadata_schema, kept.workspace_metadata_schema) == (SCHEMA, None)
    assert (kept.input_guardrails, kept.output_guardrails) == ((guardrail.id,), ())


async def test_a_workspace_takes_its_own_with_it(database: Database) -> None:
    """Configs and guardrails of a workspace go when it goes, and those of the organization stay usable."""
    administration, operator = await founded(database)
    configs, guardrails = ConfigService(administration), GuardrailService(administration)
    workspaces = WorkspaceService(administration)
    workspace = await workspaces.create(operator, {"name": "w"})
    for within in (workspace.id, None):
        await configs.create(operator, {"name": "c", "config": {}, "workspace_id": within})
        await guardrails.create(operator, {"name": "g", "checks": CHECKS, "workspace_id": within})
    usable = await administration.transactions.read(
        lambda stores: len(stores.configs.usable(operator.organization_id, workspace.id))
    )
    assert usable == 2
    await workspaces.delete(operator, workspace.id)
    assert (await configs.find(operator, Page()))[1] == 1
    assert (await guardrails.find(operator, Page()))[1] == 1
