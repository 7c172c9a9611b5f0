"""Plans, remembered: the same name under the same policy is the same plan, for a minute at most.

Resolving costs a call several microseconds and rests on nothing but the frozen policy, the catalog and the date of the
prices, none of which changes within a minute.
"""

from headgate.base.clock import NANOS_PER_SECOND
from headgate.catalog.catalog import Catalog
from headgate.routing.plan import Plan
from headgate.routing.resolve import resolve
from headgate.tenancy.policy import Policy

MINUTE = 60 * NANOS_PER_SECOND
MOST = 20_000
"""Plans in memory. A caller that asks for a thousand different names only costs itself the memory's benefit."""


class Router:
    """One per process."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._plans: dict[tuple[str, str | None, str | None, str | None, str], tuple[Policy, int, Plan]] = {}

    def route(self, policy: Policy, asked: str | None, hint: str | None, client: str, at: int) -> Plan:
        """As `resolve`, which also says what it raises."""
        name, minute = (policy.key_id, policy.tenant_id, asked, hint, client), at // MINUTE
        known = self._plans.get(name)
        if known is not None and known[0] is policy and known[1] == minute:
            return known[2]
        plan = resolve(policy, self._catalog, asked, hint, client, at)
        if len(self._plans) >= MOST:
            self._plans.clear()
        if plan.expires_at is None or plan.expires_at // MINUTE != minute:
            self._plans[name] = policy, minute, plan
        return plan
