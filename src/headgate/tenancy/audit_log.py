"""Reading the audit log."""

from collections.abc import Sequence

from headgate.tenancy.audit import AuditEntry, AuditFilter
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Page, Transactions


class AuditLogService:
    """Only for those who administer the organization."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def find(
        self, principal: Principal, page: Page, wanted: AuditFilter, *, organization: str | None = None
    ) -> tuple[Sequence[AuditEntry], int]:
        """The latest first. `organization` is the caller's own, if it is named at all."""
        principal.require_organization()
        if organization is not None and organization != principal.organization_id:
            raise not_found("organisation", organization)
        return await self._transactions.read(lambda stores: stores.audit.find(principal.organization_id, page, wanted))
