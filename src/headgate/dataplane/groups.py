"""The allowances of limit policies for one call. A group's counter is made, with its past, before its first call."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import RateLimited
from headgate.dataplane.call import Call
from headgate.ledger.allowance import Allowance
from headgate.tenancy.limit_policy import (
    METADATA,
    OF_THE_CALL,
    OF_THE_TARGET,
    Facts,
    LimitPolicy,
    Values,
    facts_of,
    groups_of,
)
from headgate.tenancy.limits import Zone
from headgate.tenancy.policy import Policy

MOST_GROUPS: Final = 100_000
"""Live counters of one policy. Beyond, a call with a value that is not counted yet is refused."""
IDLE_S: Final = 90_000
"""Groups unused for so long may give way: longer than any call takes."""
LOOK_AGAIN_S: Final = 60

Restore = Callable[[Sequence[Allowance]], Awaitable[None]]


class Counters(Protocol):
    """What this needs of the ledger."""

    def __contains__(self, allowance_id: str) -> bool: ...

    def forget(self, allowance_ids: Iterable[str], idle_seconds: int) -> set[str]:
        """Drop those nobody asked for in so long; which of them are not there now."""
        ...


class Groups:
    """One per process. Once `restore` returns, the ledger has the counters it was given."""

    def __init__(self, counters: Counters, restore: Restore, clock: Clock, most: int = MOST_GROUPS) -> None:
        self._counters = counters
        self._restore = restore
        self._clock = clock
        self._most = most
        self._known: dict[tuple[str, Zone], dict[Values, tuple[LimitPolicy, Allowance]]] = {}
        self._full: dict[str, int] = {}  # policies without room, and when to look again

    async def of_call(self, call: Call) -> tuple[Allowance, ...]:
        """Those of the policies that apply to where this call goes. Raises `RateLimited` for a value too many, and
        `Unavailable` while the past cannot be read."""
        policy, target = call.policy, call.target
        facts = _facts(
            policy,
            call.metadata,
            provider=target.provider.slug,
            model=target.model,
            endpoint=call.endpoint.path,
            config=call.config,
            prompt=call.prompt,
        )
        return await self._counted(policy, policy.limit_policies, facts)

    async def of_key(self, policy: Policy) -> tuple[Allowance, ...]:
        """Those that apply to all calls of a key: of policies that look at nothing a call may choose."""
        known = {f"{METADATA}{key}" for key in policy.metadata}
        fixed = [
            limit
            for limit in policy.limit_policies
            if all(
                key in known or not (key.startswith(METADATA) or key in OF_THE_TARGET | OF_THE_CALL)
                for key in (*limit.group_by, *(each.key for each in limit.conditions))
            )
        ]
        return await self._counted(policy, fixed, _facts(policy, policy.metadata)) if fixed else ()

    async def _counted(self, policy: Policy, limits: Sequence[LimitPolicy], facts: Facts) -> tuple[Allowance, ...]:
        found = tuple([self._allowance(*group, policy.zone) for group in groups_of(limits, facts)])
        if any(each.id not in self._counters for each in found):
            await self._restore(found)
        return found

    def _allowance(self, policy: LimitPolicy, values: Values, zone: Zone) -> Allowance:
        groups = self._known.setdefault((policy.id, zone), {})
        known = groups.get(values)
        if known is not None and (known[0] is policy or known[0] == policy):
            return known[1]
        if known is None and len(groups) >= self._most:
            self._make_room(policy, groups)
        made = policy.allowance(values, zone)
        groups[values] = policy, made
        return made

    def _make_room(self, policy: LimitPolicy, groups: dict[Values, tuple[LimitPolicy, Allowance]]) -> None:
        now = self._clock.monotonic()
        if self._full.get(policy.id, now) <= now:
            gone = self._counters.forget([allowance.id for _, allowance in groups.values()], IDLE_S)
            for values in [values for values, (_, allowance) in groups.items() if allowance.id in gone]:
                del groups[values]
            if len(groups) < self._most:
                self._full.pop(policy.id, None)
                return
            self._full[policy.id] = now + LOOK_AGAIN_S * NANOS_PER_SECOND
        raise RateLimited(
            f"The policy `{policy.name}` counts {self._most:,} groups already: this call's values are new. "
            "Send known ones, or ask an administrator to group by something with fewer values.",
            code="policy_groups_full",
            retry_after=LOOK_AGAIN_S,
        )


def _facts(
    policy: Policy,
    metadata: Mapping[str, str],
    *,
    provider: str = "",
    model: str = "",
    endpoint: str = "",
    config: str = "",
    prompt: str = "",
) -> Facts:
    return facts_of(
        organization_id=policy.organization_id,
        workspace_id=policy.workspace_id,
        tenant_id=policy.tenant_id,
        key_id=policy.key_id,
        provider=provider,
        model=model,
        endpoint=endpoint,
        config=config,
        prompt=prompt,
        metadata=metadata,
    )
