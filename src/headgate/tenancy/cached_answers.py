"""Forgetting answers that are kept to be given again."""

from collections.abc import Callable

from headgate.base.errors import InvalidRequest
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.answer_purge import AnswerPurge
from headgate.tenancy.principal import Principal
from headgate.tenancy.tenants import visible_tenant
from headgate.tenancy.workspaces import visible_workspace

Forget = Callable[[AnswerPurge], int]
"""How many answers this process has forgotten."""


class CachedAnswerService:
    """A workspace's key forgets its own workspace's, the organization's whatever is named, or everything."""

    def __init__(self, administration: Administration, forget: Forget) -> None:
        self._administration = administration
        self._forget = forget

    async def purge(self, principal: Principal, workspace: str | None, tenant: str | None) -> int:
        """Once it returns no answer from before is given again by this process, and by others within a second. How
        many this one had. Raises `InvalidRequest` where the tenant is not of that workspace."""

        def work(change: Change) -> AnswerPurge:
            stores, reference = change.stores, workspace or principal.workspace_id
            within = visible_workspace(stores, principal, reference).id if reference else None
            of = visible_tenant(stores, principal, tenant) if tenant else None
            if of is not None and within not in (None, of.workspace_id):
                raise InvalidRequest("`tenant_id` is not of `workspace_id`. Send one of them.", param="tenant_id")
            tenant_id, within = (of.id, of.workspace_id) if of is not None else (None, within)
            change.record(
                "purge", f"cache:{tenant_id or within or principal.organization_id}", {"workspace_id": within}
            )
            made = AnswerPurge(
                id=change.new_id("prg"),
                version=change.touched.version,
                at=change.now,
                organization_id=principal.organization_id,
                workspace_id=within,
                tenant_id=tenant_id,
            )
            change.stores.answer_purges.add(made)
            return made

        return self._forget(await self._administration.change(principal, work))
