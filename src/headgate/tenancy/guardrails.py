"""Making, changing and removing guardrails."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headgate.base.errors import InvalidRequest
from headgate.tenancy import attached, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.guardrail import Guardrail
from headgate.tenancy.guardrail_rules import guardrail_actions, guardrail_checks
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.version import Version
from headgate.tenancy.versions import free_slug, next_version, place_of, record, visible, within


class GuardrailService:
    """`fields`: `name`, `checks`, `actions`, and `workspace_id` for a new one. Without a workspace it is the
    organization's, for which the caller needs the scopes `organisation_guardrails`; for a workspace's `guardrails`."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> Guardrail:
        """Raises `InvalidRequest` naming the check and the parameter."""

        def work(change: Change) -> Guardrail:
            blank = Guardrail(
                id=change.new_id("grd"),
                organization_id=principal.organization_id,
                workspace_id=place_of(change, fields),
                slug=free_slug(change, change.stores.guardrails, "pg"),
                name="",
                checks=(),
                version_id="",
                created_at=change.now,
                updated_at=change.now,
            )
            _require(principal, blank, "create")
            guardrail, version = _written(blank, {"name": None, "checks": None, "actions": {}, **fields}, change)
            change.stores.guardrails.add(guardrail, version)
            record(change, "create", "guardrail", guardrail, _seen(guardrail))
            return guardrail

        return await self._administration.change(principal, work)

    async def find(
        self, principal: Principal, page: Page, *, workspace: str | None = None
    ) -> tuple[Sequence[Guardrail], int]:
        """Those of the workspaces, or of one, and for an admin key the organization's."""

        def work(stores: Stores) -> tuple[Sequence[Guardrail], int]:
            place = within(stores, principal, workspace)
            return stores.guardrails.find(principal.organization_id, page, workspace_id=place)

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, reference: str) -> Guardrail:
        return await self._administration.transactions.read(
            lambda stores: _visible(stores, principal, reference, "read")
        )

    async def versions(self, principal: Principal, reference: str, page: Page) -> tuple[Sequence[Version], int]:
        """The newest first."""
        return await self._administration.transactions.read(
            lambda stores: stores.guardrails.versions(_visible(stores, principal, reference, "read").id, page)
        )

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> Guardrail:
        """What is not sent stays. Always a new version, in force where the guardrail is attached from the next call."""

        def work(change: Change) -> Guardrail:
            before = _visible(change.stores, principal, reference, "update")
            guardrail, version = _written(before, fields, change)
            change.stores.guardrails.update(guardrail, version)
            record(change, "update", "guardrail", guardrail, {"fields": sorted(fields)} | _seen(guardrail))
            return guardrail

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, reference: str) -> None:
        """With its versions. Raises `Conflict` while it is attached."""

        def work(change: Change) -> None:
            guardrail = _visible(change.stores, principal, reference, "delete")
            attached.refuse_used_guardrail(change.stores, guardrail)
            change.stores.guardrails.remove(guardrail.id)
            record(change, "delete", "guardrail", guardrail, {"slug": guardrail.slug, "name": guardrail.name})

        await self._administration.change(principal, work)


def _require(principal: Principal, guardrail: Guardrail, verb: str) -> None:
    family = "organisation_guardrails" if guardrail.workspace_id is None else "guardrails"
    principal.require(f"{family}.{verb}")


def _visible(stores: Stores, principal: Principal, reference: str, verb: str) -> Guardrail:
    guardrail = visible(stores.guardrails, principal, "guardrail", reference)
    _require(principal, guardrail, verb)
    return guardrail


def _written(guardrail: Guardrail, fields: Mapping[str, Any], change: Change) -> tuple[Guardrail, Version]:
    changes: dict[str, Any] = {}
    if "name" in fields:
        changes["name"] = rules.name(fields["name"])
    if "checks" in fields:
        changes["checks"] = guardrail_checks(fields["checks"])
    if "actions" in fields:
        changes["actions"] = guardrail_actions(fields["actions"])
    if not changes:
        raise InvalidRequest("There is nothing to change: send at least one of name, checks, actions.")
    after = replace(guardrail, **changes, version_id=change.new_id("ver"), updated_at=change.now)
    document = {"name": after.name, "checks": list(after.checks), "actions": dict(after.actions)}
    return after, next_version(change, change.stores.guardrails, after.id, after.version_id, document)


def _seen(guardrail: Guardrail) -> dict[str, Any]:
    return {
        "slug": guardrail.slug,
        "name": guardrail.name,
        "version_id": guardrail.version_id,
        "checks": [dict(each) for each in guardrail.checks],
        "actions": dict(guardrail.actions),
    }
