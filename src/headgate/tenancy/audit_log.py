"""Reading the audit log, and checking that it is as it was written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from headgate.tenancy import rules
from headgate.tenancy.audit import AuditEntry, AuditFilter, ChainReport, verify_chain
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import AuditStore, Page, Stores, Transactions
from headgate.tenancy.tickets import Tickets

AT_ONCE: Final = 1_000
STEP: Final = 2_000
"""Entries that are checked at a time: some tenths of a second."""
_PURPOSE: Final = "audit log checked so far"
_VALID_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class Checked:
    """How far a check is. `of` is how many entries there are; `ticket` leads on, and is empty at the end."""

    report: ChainReport
    of: int
    ticket: str


class AuditLogService:
    """Only for those who administer the organization."""

    def __init__(self, transactions: Transactions, tickets: Tickets) -> None:
        self._transactions = transactions
        self._tickets = tickets

    async def find(
        self, principal: Principal, page: Page, wanted: AuditFilter, *, organization: str | None = None
    ) -> tuple[Sequence[AuditEntry], int]:
        """The latest first. `organization` is the caller's own, if it is named at all."""
        principal.require_organization()
        if organization is not None and organization != principal.organization_id:
            raise not_found("organisation", organization)
        if wanted.resource_type is not None:
            rules.text(wanted.resource_type, "resource_type", rules.NAME_LENGTH)

        def work(stores: Stores) -> tuple[Sequence[AuditEntry], int]:
            named, asked = wanted.workspace_id, wanted
            if named is not None and (workspace := stores.workspaces.get(principal.organization_id, named)) is not None:
                asked = replace(wanted, workspace_id=workspace.id)  # else perhaps of one that is gone
            return stores.audit.find(principal.organization_id, page, asked)

        return await self._transactions.read(work)

    async def check(self, principal: Principal, ticket: str = "") -> Checked:
        """Go through the chain from its first entry, or on from where a ticket of the last hour says, a step at a time.
        Nobody but us writes a ticket, so no link leads past an entry that is wrong."""
        principal.require_organization()
        organization_id = principal.organization_id
        told = self._tickets.read(_PURPOSE, ticket)
        before = None
        if told is not None and told["organization"] == organization_id:
            before = ChainReport(int(told["entries"]), bytes.fromhex(told["head"]))
        report, of = await self._transactions.read(lambda stores: _step(stores.audit, organization_id, before))
        so_far = {"organization": organization_id, "entries": str(report.entries), "head": report.head.hex()}
        done = report.entries >= of or not report.intact
        return Checked(report, of, "" if done else self._tickets.issue(_PURPOSE, so_far, _VALID_S))


def _step(audit: AuditStore, organization_id: str, before: ChainReport | None) -> tuple[ChainReport, int]:
    last, begin = audit.last(organization_id), before.entries if before else 0
    report = verify_chain(islice(entries(audit, organization_id, begin), STEP), after=before)
    return report, 0 if last is None else last.seq


def entries(audit: AuditStore, organization_id: str, seq: int = 0) -> Iterator[AuditEntry]:
    """All of one organization after `seq`, in order."""
    while page := audit.after(organization_id, seq, AT_ONCE):
        yield from page
        seq = page[-1].seq
