"""Making, changing and removing integrations. Their credentials are sealed here and opened in policies only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from headgate.base.errors import Conflict, InvalidRequest
from headgate.catalog.provider import ProviderSpec
from headgate.tenancy import pricing, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.capacity_rules import capacity, shown
from headgate.tenancy.headers import extra_headers, sealed_headers
from headgate.tenancy.integration import Integration, Provisioning
from headgate.tenancy.integration_access import require_for, visible_integration
from headgate.tenancy.page import Page
from headgate.tenancy.principal import Principal
from headgate.tenancy.provisioning import provision
from headgate.tenancy.stores import Stores
from headgate.tenancy.vault import Vault
from headgate.tenancy.workspace import Workspace
from headgate.tenancy.workspaces import names_of_workspace, visible_workspace

LONGEST_KEY: Final = 16_384
SHOWN: Final = 10
"""How many workspaces a refusal lists."""
CheckUrl = Callable[[str, str], str]
"""The base URL as it is kept. Raises `InvalidRequest` about the field that is named beside it on one that calls may not
go to."""


class KnownProviders(Protocol):
    """The catalog, as far as it is needed here."""

    def provider(self, name: str) -> ProviderSpec | None: ...


class IntegrationService:
    """`fields` are the contract's, only those that were sent. An integration is the organization's, to be given to
    workspaces, or one workspace's own, which that workspace's keys may make and change too."""

    def __init__(
        self, administration: Administration, vault: Vault, providers: KnownProviders, check_url: CheckUrl
    ) -> None:
        self._administration = administration
        self._vault = vault
        self._providers = providers
        self._check_url = check_url

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> Integration:
        """Raises `InvalidRequest`, and `Conflict` where the name or slug is taken."""

        def work(change: Change) -> Integration:
            reference = fields.get("workspace_id") or principal.workspace_id
            workspace = visible_workspace(change.stores, principal, reference) if reference else None
            require_for(principal, "create", workspace.id if workspace else None)
            return self.create_within(change, workspace, fields)

        return await self._administration.change(principal, work)

    async def find(
        self, principal: Principal, page: Page, *, workspace: str | None = None, owned: bool | None = None
    ) -> tuple[Sequence[Integration], int]:
        """All, or those that one workspace has: given to it or its own. `owned`: only workspaces' own, or only the
        organization's."""
        if owned is not True and "organisation_integrations.list" not in principal.scopes:
            if owned is False:
                principal.require("organisation_integrations.list")
            owned = True

        def work(stores: Stores) -> tuple[Sequence[Integration], int]:
            within = visible_workspace(stores, principal, workspace).id if workspace else principal.workspace_id
            return stores.integrations.find(principal.organization_id, page, workspace_id=within, owned=owned)

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, reference: str) -> Integration:
        return await self._administration.transactions.read(
            lambda stores: visible_integration(stores, principal, reference, "read")
        )

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> Integration:
        """Another host needs the credential again: nobody can have a stored one sent to a place of their own."""

        def work(change: Change) -> Integration:
            before = visible_integration(change.stores, principal, reference, "update")
            within = names_of_workspace(change.stores, before.organization_id, before.workspace_id)
            stays = {"slug": (None, before.slug), "ai_provider_id": (None, before.kind), "workspace_id": within}
            rules.refuse_moved("integration", fields, stays)
            return self.update_within(change, before, fields)

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, reference: str) -> None:
        """With its credential, providers and models. Raises `Conflict` while workspaces still have it from the
        organization: their calls would fail."""

        def work(change: Change) -> None:
            integration = visible_integration(change.stores, principal, reference, "delete")
            _refuse_in_use(change.stores, integration)
            remove_integration(change, integration)

        await self._administration.change(principal, work)

    def update_within(self, change: Change, before: Integration, fields: Mapping[str, Any]) -> Integration:
        """Within a change under way."""
        after = self._with(before, fields, change)
        _refuse_redirected_secrets(before, after, fields)
        if after.name != before.name:
            _refuse_taken_name(change, after)
        change.stores.integrations.update(after)
        _touch_workspaces(change, after)
        change.record("update", f"integration:{after.id}", {"fields": sorted(fields)} | _seen(after))
        return after

    def create_within(
        self, change: Change, workspace: Workspace | None, fields: Mapping[str, Any], kind_field: str = "ai_provider_id"
    ) -> Integration:
        """Within a change under way. Of a workspace's own where one is given; then it is provisioned to it at once.
        `kind_field` is what the caller calls the provider's kind."""
        _refuse_secret_mappings(fields)
        organization_id = change.principal.organization_id
        spec = self._spec(fields.get(kind_field), kind_field)
        name = rules.name(fields.get("name"))
        taken = change.stores.integrations.slugs(organization_id)
        slug = rules.slug(fields["slug"]) if fields.get("slug") else rules.slug_for(name, taken.__contains__, spec.id)
        if slug in taken:
            raise Conflict(f"There is an integration with the slug `{slug}` already.", param="slug")
        blank = Integration(
            id=change.new_id("int"),
            organization_id=organization_id,
            workspace_id=workspace.id if workspace else None,
            slug=slug,
            name=name,
            kind=spec.id,
            created_at=change.now,
            updated_at=change.now,
        )
        integration = self._with(blank, fields, change)
        if workspace is not None:
            integration = _renamed_apart(change.stores, integration, workspace)
        self._refuse_incomplete(integration, spec)
        _refuse_taken_name(change, integration)
        change.stores.integrations.add(integration)
        change.record("create", f"integration:{integration.id}", _seen(integration))
        if integration.workspace_id is not None:
            _provision_own(change, integration, fields)
        return integration

    def _spec(self, kind: object, param: str) -> ProviderSpec:
        spec = self._providers.provider(kind) if isinstance(kind, str) else None
        if spec is None:
            raise InvalidRequest(f"`{param}`: there is no provider `{str(kind)[:100]}`.", param=param)
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
        if "pricing_adjustments" in fields:
            change.principal.require_organization()  # prices decide over budgets that are not the workspace's to set
            changes["multipliers"] = pricing.multipliers(fields["pricing_adjustments"], "pricing_adjustments")
        if configurations := fields.get("configurations"):
            if "custom_host" in configurations:
                change.principal.require_organization()  # it says which network the gateway reaches into
            changes |= self._configured(integration, configurations)
        return replace(integration, **changes, updated_at=change.now)

    def _configured(self, integration: Integration, given: Mapping[str, Any]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if "custom_host" in given:
            host = given["custom_host"]
            changes["base_url"] = self._kept_url(host, "configurations.custom_host") if host else None
        headers = extra_headers(given)
        if headers is not None:
            changes["sealed_headers"] = sealed_headers(
                self._vault, headers, integration.organization_id, integration.headers_row
            )
            changes["header_names"] = tuple(name for name, _ in headers)
        if "capacity" in given:
            changes["capacity"] = capacity(given["capacity"], "configurations.capacity")
        return changes

    def _kept_url(self, host: object, param: str) -> str:
        return self._check_url(rules.name(host, param), param)


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


def _renamed_apart(stores: Stores, integration: Integration, workspace: Workspace) -> Integration:
    """A workspace is not told of names that others have taken."""
    if stores.integrations.named(integration.organization_id, integration.name) is None:
        return integration
    tail = f" ({workspace.slug})"
    return replace(integration, name=integration.name[: rules.NAME_LENGTH - len(tail)] + tail)


def _refuse_secret_mappings(fields: Mapping[str, Any]) -> None:
    if fields.get("secret_mappings"):
        raise InvalidRequest(
            "`secret_mappings` is not supported: there are no secret references here. Send the credential as `key`; it "
            "is encrypted and never shown again.",
            param="secret_mappings",
        )


def _refuse_in_use(stores: Stores, integration: Integration) -> None:
    if integration.workspace_id is not None:
        return
    given = [each.workspace_id for each in stores.integrations.provisionings(integration.id) if each.enabled]
    if given:
        found = (stores.workspaces.get(integration.organization_id, each) for each in given[:SHOWN])
        slugs = ", ".join(f"`{each.slug}`" for each in found if each is not None)
        more = f" and {len(given) - SHOWN} more" if len(given) > SHOWN else ""
        raise Conflict(
            f"The integration `{integration.slug}` is provisioned to {slugs}{more}, whose calls would fail. Take it "
            f"back first: PUT /v1/integrations/{integration.slug}/workspaces with `enabled` false."
        )


def remove_integration(change: Change, integration: Integration) -> None:
    """Within a change under way."""
    _touch_workspaces(change, integration)
    change.stores.integrations.remove(integration.id)
    change.record("delete", f"integration:{integration.id}", {"slug": integration.slug})


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
        "workspace_id": integration.workspace_id,
        "multipliers": dict(integration.multipliers),
        "capacity": shown(integration.capacity),
    }
