"""Making, changing and removing integrations. Their credentials are sealed here and opened in policies only."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from headgate.base.errors import Conflict, InvalidRequest
from headgate.catalog.provider import ProviderSpec
from headgate.tenancy import rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.headers import extra_headers
from headgate.tenancy.integration import Integration, Provisioning
from headgate.tenancy.principal import Principal
from headgate.tenancy.provisioning import existing_integration, provision
from headgate.tenancy.stores import Page
from headgate.tenancy.vault import Vault
from headgate.tenancy.workspaces import visible_workspace

LONGEST_KEY: Final = 16_384
CheckUrl = Callable[[str], str]
"""The base URL as it is kept. Raises `InvalidRequest` on one that calls may not go to."""


class KnownProviders(Protocol):
    """The catalog, as far as it is needed here."""

    def provider(self, name: str) -> ProviderSpec | None: ...


class IntegrationService:
    """`fields` are the contract's, only those that were sent. All of it needs a key of the organization."""

    def __init__(
        self, administration: Administration, vault: Vault, providers: KnownProviders, check_url: CheckUrl
    ) -> None:
        self._administration = administration
        self._vault = vault
        self._providers = providers
        self._check_url = check_url

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> Integration:
        """Raises `InvalidRequest`, and `Conflict` where the name or slug is taken."""
        principal.require_organization()
        return await self._administration.change(principal, lambda change: self._create(change, fields))

    async def find(
        self, principal: Principal, page: Page, *, workspace: str | None = None
    ) -> tuple[Sequence[Integration], int]:
        """All of the organization, or those provisioned to one workspace."""
        principal.require_organization()
        return await self._administration.transactions.read(
            lambda stores: stores.integrations.find(
                principal.organization_id,
                page,
                workspace_id=visible_workspace(stores, principal, workspace).id if workspace else None,
            )
        )

    async def get(self, principal: Principal, reference: str) -> Integration:
        principal.require_organization()
        return await self._administration.transactions.read(
            lambda stores: existing_integration(stores, principal, reference)
        )

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> Integration:
        """Another host needs the credential again: nobody can have a stored one sent to a place of their own."""
        principal.require_organization()

        def work(change: Change) -> Integration:
            before = existing_integration(change.stores, principal, reference)
            after = self._with(before, fields, change)
            _refuse_redirected_secrets(before, after, fields)
            if after.name != before.name:
                _refuse_taken_name(change, after)
            change.stores.integrations.update(after)
            _touch_workspaces(change, after)
            change.record("update", f"integration:{after.id}", {"fields": sorted(fields)} | _seen(after))
            return after

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, reference: str) -> None:
        """With its provisioning, provider slugs and models."""
        principal.require_organization()

        def work(change: Change) -> None:
            integration = existing_integration(change.stores, principal, reference)
            _touch_workspaces(change, integration)
            change.stores.integrations.remove(integration.id)
            change.record("delete", f"integration:{integration.id}", {"slug": integration.slug})

        await self._administration.change(principal, work)

    def _create(self, change: Change, fields: Mapping[str, Any]) -> Integration:
        organization_id = change.principal.organization_id
        spec = self._spec(fields.get("ai_provider_id"))
        name = rules.name(fields.get("name"))
        taken = change.stores.integrations.slugs(organization_id)
        slug = rules.slug(fields["slug"]) if fields.get("slug") else rules.slug_for(name, taken, spec.id)
        if slug in taken:
            raise Conflict(f"There is an integration with the slug `{slug}` already.", param="slug")
        workspace = fields.get("workspace_id")
        blank = Integration(
            id=change.new_id("int"),
            organization_id=organization_id,
            workspace_id=visible_workspace(change.stores, change.principal, workspace).id if workspace else None,
            slug=slug,
            name=name,
            kind=spec.id,
            created_at=change.now,
            updated_at=change.now,
        )
        integration = self._with(blank, fields, change)
        self._refuse_incomplete(integration, spec)
        _refuse_taken_name(change, integration)
        change.stores.integrations.add(integration)
        change.record("create", f"integration:{integration.id}", _seen(integration))
        if integration.workspace_id is not None:
            _provision_own(change, integration, fields)
        return integration

    def _spec(self, kind: object) -> ProviderSpec:
        spec = self._providers.provider(kind) if isinstance(kind, str) else None
        if spec is None:
            raise InvalidRequest(f"`ai_provider_id`: there is no provider `{str(kind)[:100]}`.", param="ai_provider_id")
        return spec

    @staticmethod
    def _refuse_incomplete(integration: Integration, spec: ProviderSpec) -> None:
        if integration.base_url is None and not spec.base_url:
            raise InvalidRequest(
                f"`configurations.custom_host` is missing: {spec.name} has no address of its own.",
                param="configurations.custom_host",
            )
        if integration.sealed_key is None and spec.credential == "required":
            raise InvalidRequest(f"`key` is missing: {spec.name} needs a credential.", param="key")

    def _with(self, integration: Integration, fields: Mapping[str, Any], change: Change) -> Integration:
        changes: dict[str, Any] = {}
        if "name" in fields:
            changes["name"] = rules.name(fields["name"])
        if "description" in fields:
            changes["description"] = rules.text(fields["description"] or "", "description")
        if fields.get("key") is not None:
            key = _credential(fields["key"])
            changes["sealed_key"] = self._vault.seal(key.encode(), integration.organization_id, integration.key_row)
            changes["masked_key"] = masked(key)
        if "configurations" in fields:
            changes |= self._configured(integration, fields["configurations"] or {})
        return replace(integration, **changes, updated_at=change.now)

    def _configured(self, integration: Integration, given: Mapping[str, Any]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if "custom_host" in given:
            host = given["custom_host"]
            changes["base_url"] = self._check_url(rules.name(host, "configurations.custom_host")) if host else None
        headers = extra_headers(given)
        if headers is not None:
            text = json.dumps(headers).encode()
            organization_id, row = integration.organization_id, integration.headers_row
            changes["sealed_headers"] = self._vault.seal(text, organization_id, row) if headers else None
            changes["header_names"] = tuple(name for name, _ in headers)
        return changes


def masked(key: str) -> str:
    """`sk-…9xyz`: enough to recognise a long credential by; of a short one nothing."""
    return f"{key[:3]}…{key[-4:]}" if len(key) >= 20 else "…"


def _credential(value: object) -> str:
    key = value.strip() if isinstance(value, str) else ""
    if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise InvalidRequest("`key` must be one line of printable ASCII text.", param="key")
    return key


def _refuse_redirected_secrets(before: Integration, after: Integration, fields: Mapping[str, Any]) -> None:
    if before.base_url == after.base_url:
        return
    kept_key = before.sealed_key is not None and fields.get("key") is None
    kept_headers = before.sealed_headers is not None and before.sealed_headers == after.sealed_headers
    if kept_key or kept_headers:
        what = "key" if kept_key else "configurations.custom_headers"
        raise InvalidRequest(
            f"`{what}` is missing: a stored secret is not sent to another host. Send it again with the new host.",
            param=what,
        )


def _refuse_taken_name(change: Change, integration: Integration) -> None:
    if change.stores.integrations.named(integration.organization_id, integration.name) is not None:
        raise Conflict(f"There is an integration named `{integration.name}` already.", param="name")


def _touch_workspaces(change: Change, integration: Integration) -> None:
    for provisioning in change.stores.integrations.provisionings(integration.id):
        change.touched.workspaces.add(provisioning.workspace_id)


def _provision_own(change: Change, integration: Integration, fields: Mapping[str, Any]) -> None:
    assert integration.workspace_id is not None
    slug = fields.get("default_provider_slug")
    provisioning = Provisioning(
        integration_id=integration.id,
        workspace_id=integration.workspace_id,
        enabled=True,
        created_at=change.now,
        updated_at=change.now,
    )
    named = fields.get("create_default_provider") is not False
    provision(
        change, integration, provisioning, rules.slug(slug, "default_provider_slug") if slug else None, named=named
    )


def _seen(integration: Integration) -> dict[str, Any]:
    return {
        "slug": integration.slug,
        "name": integration.name,
        "ai_provider_id": integration.kind,
        "masked_key": integration.masked_key,
        "custom_host": integration.base_url,
        "header_names": list(integration.header_names),
    }
