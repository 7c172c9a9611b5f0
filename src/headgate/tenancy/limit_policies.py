"""Making, changing and removing limit policies."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headgate.base.errors import InvalidRequest
from headgate.tenancy import limit_policy_rules, limit_rules, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.limit_policy import ANY, Condition, LimitKind, LimitPolicy, Sought
from headgate.tenancy.limits import RATE_UNITS, newly_set
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.tenants import visible_tenant
from headgate.tenancy.workspaces import names_of_workspace, visible_workspace


class LimitPolicyService:
    """`fields`: `name`, `conditions`, `group_by`, `workspace_id`, `reset_usage`, and those of one usage limit or of one
    rate limit. Without a workspace a policy is the organization's; a workspace's key makes and sees its workspace's."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def create(self, principal: Principal, kind: LimitKind, fields: Mapping[str, Any]) -> LimitPolicy:
        """Raises `InvalidRequest` naming the field."""

        def work(change: Change) -> LimitPolicy:
            reference = fields.get("workspace_id") or principal.workspace_id
            workspace = visible_workspace(change.stores, principal, reference) if reference else None
            blank = LimitPolicy(
                id=change.new_id("pol"),
                organization_id=principal.organization_id,
                workspace_id=workspace.id if workspace else None,
                name=rules.name(fields.get("name")),
                limit_kind=kind,
                created_at=change.now,
                updated_at=change.now,
            )
            policy = _with(blank, fields, change)
            change.stores.limit_policies.add(policy)
            record_change(change, "create", policy, _seen(policy))
            return policy

        return await self._administration.change(principal, work)

    async def find(
        self,
        principal: Principal,
        kind: LimitKind,
        page: Page,
        *,
        workspace: str | None = None,
        resource: str | None = None,
        unit: str | None = None,
    ) -> tuple[Sequence[LimitPolicy], int]:
        """Those of a workspace, of a resource, of a unit."""
        types = limit_rules.RATE_TYPES if kind is LimitKind.RATE else limit_rules.USAGE_TYPES
        of = None if resource is None else limit_rules.choice(resource, types, "type")
        if unit is not None:
            limit_rules.choice(unit, RATE_UNITS, "unit")

        def work(stores: Stores) -> tuple[Sequence[LimitPolicy], int]:
            within = visible_workspace(stores, principal, workspace).id if workspace else principal.workspace_id
            return stores.limit_policies.find(principal.organization_id, kind, page, Sought(within, of, unit))

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, kind: LimitKind, policy_id: str) -> LimitPolicy:
        return await self._administration.transactions.read(
            lambda stores: visible_policy(stores, principal, kind, policy_id)
        )

    async def update(
        self, principal: Principal, kind: LimitKind, policy_id: str, fields: Mapping[str, Any]
    ) -> LimitPolicy:
        """What is not sent stays. `reset_usage` starts all its budgets again from zero; other conditions or groups,
        another resource or period start from what the records of the period say."""

        def work(change: Change) -> LimitPolicy:
            before = visible_policy(change.stores, principal, kind, policy_id)
            within = names_of_workspace(change.stores, before.organization_id, before.workspace_id)
            rules.refuse_moved("policy", fields, {"workspace_id": within})
            policy = _begun(before, _with(before, fields, change), change.now)
            change.stores.limit_policies.update(policy)
            record_change(change, "update", policy, {"fields": sorted(fields)} | _seen(policy))
            return policy

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, kind: LimitKind, policy_id: str) -> None:
        def work(change: Change) -> None:
            policy = visible_policy(change.stores, principal, kind, policy_id)
            change.stores.limit_policies.remove(policy.id)
            record_change(change, "delete", policy, {"name": policy.name})

        await self._administration.change(principal, work)


def visible_policy(stores: Stores, principal: Principal, kind: LimitKind, policy_id: str) -> LimitPolicy:
    """Absent and foreign ones answer alike."""
    policy = stores.limit_policies.get(principal.organization_id, policy_id)
    if policy is None or policy.limit_kind is not kind:
        raise not_found("policy", policy_id)
    principal.require_sight(policy.workspace_id, "policy", policy_id)
    return policy


def _with(policy: LimitPolicy, fields: Mapping[str, Any], change: Change) -> LimitPolicy:
    changes: dict[str, Any] = {}
    if "name" in fields:
        changes["name"] = rules.name(fields["name"])
    if "conditions" in fields:
        found = limit_policy_rules.conditions(fields["conditions"])
        changes["conditions"] = tuple(_with_ids(each, change) for each in found)
    if "group_by" in fields:
        changes["group_by"] = limit_policy_rules.group_by(fields["group_by"])
    if policy.limit_kind is LimitKind.USAGE:
        before = next(iter(policy.usage_limits), None)
        changes["usage_limits"] = (limit_policy_rules.usage_limit(fields, before, change.now),)
        if fields.get("reset_usage"):
            changes |= {"usage_reset_at": change.now, "group_resets": ()}
    else:
        (*_, rate) = policy.rate_limits or (None,)
        changes["rate_limits"] = (limit_policy_rules.rate_limit(fields, rate),)
    if not fields:
        raise InvalidRequest("There is nothing to change: send at least one field of the policy.")
    return replace(policy, **changes, updated_at=change.now)


def _begun(before: LimitPolicy, after: LimitPolicy, now: int) -> LimitPolicy:
    """A limit on other calls than before begins now, as one does that was not in force before."""
    same = (before.conditions, before.group_by) == (after.conditions, after.group_by)
    return replace(
        after,
        usage_limits=newly_set(after.usage_limits, before.usage_limits if same else (), now),
        rate_limits=newly_set(after.rate_limits, before.rate_limits if same else (), now),
    )


def _with_ids(condition: Condition, change: Change) -> Condition:
    """Workspaces and tenants may be named by slug; calls are told apart by id."""
    stores, principal = change.stores, change.principal

    def found(value: str) -> str:
        if value.endswith(ANY):
            return value
        if condition.key == "workspace_id":
            return visible_workspace(stores, principal, value).id
        return visible_tenant(stores, principal, value).id

    if condition.key not in ("workspace_id", "tenant_id"):
        return condition
    return replace(condition, values=tuple(map(found, condition.values)))


def record_change(change: Change, action: str, policy: LimitPolicy, body: Mapping[str, Any]) -> None:
    """Write it into the audit log, and have those forget who hold the policy in memory."""
    change.touched.within(policy.workspace_id)
    change.record(action, f"limit_policy:{policy.id}", body)


def _seen(policy: LimitPolicy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "workspace_id": policy.workspace_id,
        "conditions": [each.document() for each in policy.conditions],
        "group_by": list(policy.group_by),
        "usage_limits": [limit.document() for limit in policy.usage_limits],
        "rate_limits": [limit.document() for limit in policy.rate_limits],
    }
