"""How every administrative change is made: one transaction, one at a time, with its audit entry, and then announced."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from headgate.base.clock import Clock
from headgate.base.ids import RandomBytes, object_id
from headgate.base.redaction import without_secrets
from headgate.tenancy import audit
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Stores, Transactions

T = TypeVar("T")


@dataclass(slots=True)
class Touched:
    """Whose policies a change makes stale."""

    version: int = 0
    """The count of changes with this one."""
    keys: set[str] = field(default_factory=set)
    workspaces: set[str] = field(default_factory=set)
    organization: bool = False
    """All of them."""

    def within(self, workspace_id: str | None) -> None:
        """Those of one workspace; None: of the whole organization."""
        if workspace_id is None:
            self.organization = True
        else:
            self.workspaces.add(workspace_id)


class Change:
    """One change under way: the stores, the moment, who makes it, and what it touches."""

    def __init__(self, stores: Stores, principal: Principal, now: int, random_bytes: RandomBytes) -> None:
        self.stores = stores
        self.principal = principal
        self.now = now
        self.touched = Touched(version=stores.next_version())
        self._random_bytes = random_bytes
        self.recorded = False

    def new_id(self, prefix: str) -> str:
        return object_id(prefix, self._random_bytes)

    def record(self, action: str, resource: str, body: Mapping[str, Any]) -> None:
        """Write the audit entry. `body` must hold no secret; its `workspace_id`, if any, is the workspace that the
        entry is about, else it is the caller's."""
        principal = self.principal
        kind, _, resource_id = resource.partition(":")
        workspace_id = resource_id if kind == "workspace" else body.get("workspace_id") or principal.workspace_id
        entry = audit.next_entry(
            principal.organization_id,
            self.stores.audit.last(principal.organization_id),
            at=self.now,
            actor=principal.actor,
            user_id=principal.user_id,
            workspace_id=workspace_id,
            action=action,
            resource=resource,
            body=without_secrets(body),
            origin=principal.origin,
        )
        self.stores.audit.append(entry)
        self.recorded = True


class Administration:
    """Runs changes and tells the listeners once they are committed, before the caller learns of it."""

    def __init__(self, transactions: Transactions, clock: Clock, random_bytes: RandomBytes = os.urandom) -> None:
        self.transactions = transactions
        self.clock = clock
        self._random_bytes = random_bytes
        self._listeners: list[Callable[[Touched], None]] = []

    def on_change(self, listener: Callable[[Touched], None]) -> None:
        self._listeners.append(listener)

    async def change(self, principal: Principal, function: Callable[[Change], T]) -> T:
        """Run the function in one transaction. One that records nothing in the audit log is an error, and undone."""

        def transaction(stores: Stores) -> tuple[T, Touched]:
            change = Change(stores, principal, self.clock.now(), self._random_bytes)
            result = function(change)
            if not change.recorded:
                raise AssertionError("a change without an audit entry")
            if principal.claim is not None:
                stores.answers.carried_out(principal.claim)
            return result, change.touched

        result, touched = await self.transactions.write(transaction)
        for listener in self._listeners:
            listener(touched)
        return result
