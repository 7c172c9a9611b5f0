"""Making, changing and removing configs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy import attached, route_config, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.config import Config
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.version import Version
from headgate.tenancy.versions import free_slug, next_version, place_of, record, visible, within

LARGEST: Final = 64 * 1024
"""Characters of a config, as JSON."""
STATUSES: Final = ("active", "archived")


@dataclass(frozen=True, slots=True)
class SeenConfig:
    """A config, and whether it is its workspace's default."""

    config: Config
    is_default: bool


class ConfigService:
    """`fields`: `name`, `config`, `status`, `is_default`, and `workspace_id` for a new one. Without a workspace a
    config is the organization's, and calls of all workspaces may name it; a workspace's key makes and sees its own
    workspace's.

    `is_default` makes it the default of its workspace (`defaults.config_id` there), or ends that.
    """

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> SeenConfig:
        """Raises `InvalidRequest` naming the field, within the config too."""

        def work(change: Change) -> SeenConfig:
            blank = Config(
                id=change.new_id("cfg"),
                organization_id=principal.organization_id,
                workspace_id=place_of(change, fields),
                slug=free_slug(change, change.stores.configs, "pc"),
                name="",
                document={},
                version_id="",
                created_at=change.now,
                updated_at=change.now,
            )
            config, version = _written(blank, {"name": None, "config": None, **fields}, change)
            change.stores.configs.add(config, version)
            record(change, "create", "config", config, _seen(config))
            _set_default(change, config, fields.get("is_default"))
            return _with_default(change.stores, config)

        return await self._administration.change(principal, work)

    async def find(
        self, principal: Principal, page: Page, *, workspace: str | None = None
    ) -> tuple[Sequence[SeenConfig], int]:
        def work(stores: Stores) -> tuple[Sequence[SeenConfig], int]:
            place = within(stores, principal, workspace)
            found, total = stores.configs.find(principal.organization_id, page, workspace_id=place)
            return [_with_default(stores, config) for config in found], total

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, reference: str) -> SeenConfig:
        return await self._administration.transactions.read(
            lambda stores: _with_default(stores, _visible(stores, principal, reference))
        )

    async def versions(self, principal: Principal, reference: str, page: Page) -> tuple[Sequence[Version], int]:
        """The newest first."""
        return await self._administration.transactions.read(
            lambda stores: stores.configs.versions(_visible(stores, principal, reference).id, page)
        )

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> SeenConfig:
        """What is not sent stays. Always a new version; the next call has it. Raises `Conflict` for one that is to be
        archived and is somebody's default."""

        def work(change: Change) -> SeenConfig:
            before = _visible(change.stores, principal, reference)
            config, version = _written(before, fields, change)
            if config.archived:
                attached.refuse_used_config(change.stores, config)
            change.stores.configs.update(config, version)
            record(change, "update", "config", config, {"fields": sorted(fields)} | _seen(config))
            _set_default(change, config, fields.get("is_default"))
            return _with_default(change.stores, config)

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, reference: str) -> None:
        """With its versions. Raises `Conflict` while it is somebody's default."""

        def work(change: Change) -> None:
            config = _visible(change.stores, principal, reference)
            attached.refuse_used_config(change.stores, config)
            change.stores.configs.remove(config.id)
            record(change, "delete", "config", config, {"slug": config.slug, "name": config.name})

        await self._administration.change(principal, work)


def _visible(stores: Stores, principal: Principal, reference: str) -> Config:
    return visible(stores.configs, principal, "config", reference)


def _with_default(stores: Stores, config: Config) -> SeenConfig:
    workspace = None
    if config.workspace_id is not None:
        workspace = stores.workspaces.get(config.organization_id, config.workspace_id)
    return SeenConfig(config, workspace is not None and workspace.config_id == config.slug)


def _written(config: Config, fields: Mapping[str, Any], change: Change) -> tuple[Config, Version]:
    changes: dict[str, Any] = {}
    if "name" in fields:
        changes["name"] = rules.name(fields["name"])
    if "config" in fields:
        changes["document"] = _document(fields["config"], config, change)
    if fields.get("status") is not None:
        if fields["status"] not in STATUSES:
            raise InvalidRequest("`status` must be active or archived.", param="status")
        changes["archived"] = fields["status"] == "archived"
    if not changes and "is_default" not in fields:
        raise InvalidRequest("There is nothing to change: send at least one of name, config, status, is_default.")
    after = replace(config, **changes, version_id=change.new_id("ver"), updated_at=change.now)
    store = change.stores.configs
    document = {"name": after.name, "config": after.document, "status": STATUSES[after.archived]}
    return after, next_version(change, store, after.id, after.version_id, document)


def _document(value: object, config: Config, change: Change) -> dict[str, Any]:
    """As it was written, once the grammar took it and every guardrail it names is there."""
    document = rules.document(value, "config", LARGEST)
    read = route_config.parse(document)
    usable = {
        name
        for each in change.stores.guardrails.usable(config.organization_id, config.workspace_id)
        for name in (each.id, each.slug)
    }
    for missing in sorted(read.guardrails() - usable):
        raise InvalidRequest(f"`config` names the guardrail `{missing}`, which is not here.", param="config")
    return document


def _set_default(change: Change, config: Config, is_default: object) -> None:
    if is_default is None or (not is_default and config.workspace_id is None):
        return
    if config.workspace_id is None:
        raise InvalidRequest(
            "`is_default` is for a config of a workspace: name one in `workspace_id`.", param="is_default"
        )
    workspace = change.stores.workspaces.get(config.organization_id, config.workspace_id)
    assert workspace is not None
    if not is_default and workspace.config_id != config.slug:
        return
    if is_default and config.archived:
        raise InvalidRequest("`is_default`: an archived config cannot be the default.", param="is_default")
    changed = replace(workspace, config_id=config.slug if is_default else None, updated_at=change.now)
    change.stores.workspaces.update(changed)
    change.record("update", f"workspace:{workspace.id}", {"slug": workspace.slug, "config_id": changed.config_id})


def _seen(config: Config) -> dict[str, Any]:
    return {
        "slug": config.slug,
        "name": config.name,
        "status": STATUSES[config.archived],
        "version_id": config.version_id,
        "config": dict(config.document),
    }
