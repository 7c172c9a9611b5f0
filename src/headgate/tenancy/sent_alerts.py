"""What was told lately, and to whom: over all webhooks and letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from headgate.tenancy.outbox import Delivery, Event
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Page, Stores, Transactions


@dataclass(frozen=True, slots=True)
class SentAlert:
    """One event, with everybody it went to."""

    event: Event
    deliveries: Sequence[Delivery]

    @property
    def about(self) -> str:
        """What people call the owner of the budget, or what else the event is about."""
        data = self._data
        if (scope := data.get("scope")) is not None:
            return " ".join(filter(None, (scope["kind"], scope.get("name") or scope.get("id"))))
        if (key := data.get("api_key")) is not None:
            return f"key {key['name']}"
        return " ".join(filter(None, (data.get("host"), data.get("reason"))))

    @property
    def percent(self) -> int | None:
        """Of the budget, used then; None: it is about no budget."""
        found: int | None = self._data.get("percent")
        return found

    @property
    def _data(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.event.body)["data"]
        return found


class SentAlerts:
    """A workspace's principal sees what is about its workspace."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def find(self, principal: Principal, page: Page) -> tuple[Sequence[SentAlert], int]:
        """The latest first. Tests of a webhook and invites are none."""

        def read(stores: Stores) -> tuple[Sequence[SentAlert], int]:
            of = principal.organization_id
            found, total = stores.deliveries.told(of, page, workspace_id=principal.workspace_id)
            return [SentAlert(*each) for each in found], total

        return await self._transactions.read(read)
