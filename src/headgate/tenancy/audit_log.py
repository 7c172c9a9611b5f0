"""Reading the audit log."""

from collections.abc import Iterator, Sequence
from typing import Final

from headgate.tenancy import rules
from headgate.tenancy.audit import AuditEntry, AuditFilter, ChainReport, verify_chain
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import AuditStore, Page, Transactions

AT_ONCE: Final = 1_000


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
        if wanted.resource_type is not None:
            rules.text(wanted.resource_type, "resource_type", rules.NAME_LENGTH)
        return await self._transactions.read(lambda stores: stores.audit.find(principal.organization_id, page, wanted))

    async def verify(self, principal: Principal) -> ChainReport:
        """Go through the whole chain, which is read and reckoned beside the event loop."""
        principal.require_organization()
        return await self._transactions.read(
            lambda stores: verify_chain(entries(stores.audit, principal.organization_id))
        )


def entries(audit: AuditStore, organization_id: str) -> Iterator[AuditEntry]:
    """All of one organization, from the first on."""
    seq = 0
    while page := audit.after(organization_id, seq, AT_ONCE):
        yield from page
        seq = page[-1].seq
