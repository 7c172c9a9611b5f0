"""`GET /v1/limits`: what a customer may use, and how much of it is left, with the customer's own key."""

from collections.abc import Sequence
from typing import Any

import msgspec

from headgate.base.money import usd
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.headers import JSON, call_headers
from headgate.dataplane.refusal import window_name
from headgate.dataplane.standing import visible
from headgate.ledger.allowance import Allowance, Resource
from headgate.ledger.balance import Balance
from headgate.tenancy.moments import to_iso
from headgate.tenancy.policy import Policy


async def list_limits(
    exchange: Exchange, call: Call, policy: Policy, books: Books, of_policies: Sequence[Allowance]
) -> None:
    """Every allowance of the key, its tenant and its workspace, those of limit policies that all its calls count in,
    and those of the workspace's integrations, which apply to calls that go there. What the organization as a whole may
    use is not for its customers."""
    own = [
        *visible(policy.allowances),
        *visible(of_policies),
        *(allowance for _, provider in sorted(policy.providers.items()) for allowance in provider.allowances),
    ]
    if books.lending is not None:
        await books.lending.refresh(own)
    data = [_shown(balance) for balance in books.balances(own)]
    body = msgspec.json.encode({"object": "list", "total": len(data), "data": data})
    await exchange.respond(200, [JSON, *call_headers(call, b"gateway"), *call.standing], body)


def _shown(balance: Balance) -> dict[str, Any]:
    """Amounts are in the resource's unit, for `cost` nano-dollars; then they are also there in US dollars."""
    allowance = balance.allowance
    amounts = {"limit": allowance.cap, "used": balance.used, "held": balance.held, "left": balance.left}
    in_dollars = allowance.resource is Resource.COST
    return {
        "object": "limit",
        "scope": allowance.scope.kind,
        "name": allowance.scope.name or allowance.scope.id,
        "resource": allowance.resource.value,
        "window": window_name(allowance) if allowance.resource is not Resource.IN_FLIGHT else "now",
        **amounts,
        **({f"{name}_usd": usd(amount, 9) for name, amount in amounts.items()} if in_dollars else {}),
        "resets_at": None if balance.resets_at is None else to_iso(balance.resets_at),
    }
