"""Which budgets a usage record counts against: read from their owners, kept until an administrator changes one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, select, tuple_

from headgate.ledger.alerts import DEFAULT_PERCENTS, EXHAUSTED, Threshold, thresholds_of
from headgate.ledger.allowance import Allowance, Scope
from headgate.ledger.period import NEVER, period_of
from headgate.ledger.record import UsageRecord
from headgate.storage import tables
from headgate.storage.alert_tables import alert_setting
from headgate.storage.policy_records import counts_in, facts_of_record
from headgate.storage.repositories.limit_policies import every_limit_policy
from headgate.storage.tables import usage_record
from headgate.storage.zones import zones
from headgate.tenancy.alert_events import Owner
from headgate.tenancy.limit_policy import LimitPolicy, PolicyScope, Values, groups_of
from headgate.tenancy.limits import UTC, UsageLimit, Zone, allowances

Parents = tuple[str, str, str | None, str, str, str]
"""Organization, workspace, tenant, key, integration and provider of a call."""
_parents: Final[Callable[[UsageRecord], Parents]] = attrgetter(
    "organization_id", "workspace_id", "tenant_id", "key_id", "integration_id", "provider"
)
OwnerKey = tuple[str, str]
"""Kind and id of a scope."""
Span = tuple[int, int | None]
"""A period: from its first nanosecond up to, and without, its last; None if it has no end."""
_AT_ONCE: Final = 500
"""Owners asked for in one statement."""
_MOST_GROUPS: Final = 20_000
"""Groups of limit policies kept in memory."""


class Budget:
    """One allowance with its thresholds. `since`: what was begun before no longer counts."""

    __slots__ = ("_span", "allowance", "counted", "lowest", "owner", "since", "thresholds")

    def __init__(
        self,
        allowance: Allowance,
        owner: Owner,
        thresholds: tuple[Threshold, ...],
        counted: ColumnElement[bool],
        since: int,
    ) -> None:
        self.allowance = allowance
        self.owner = owner
        self.thresholds = thresholds
        self.lowest = min((each.amount for each in thresholds), default=NEVER)
        self.counted = counted  # which usage records are its owner's
        self.since = since
        self._span: Span = (0, 0)

    def span_of(self, moment: int) -> Span:
        """The period that a moment lies in. Most calls lie in the one asked for last."""
        start, end = self._span
        if start <= moment and (end is None or moment < end):
            return self._span
        period = period_of(self.allowance.window, moment)
        self._span = (max(period.start, 0), None if period.end >= NEVER else period.end)
        return self._span


def _owners(parents: Parents) -> list[OwnerKey]:
    """All that have a say in a call, as `tenancy.policy_loader` names them."""
    organization_id, workspace_id, tenant_id, key_id, integration_id, provider = parents
    owners = [
        ("organization", organization_id),
        ("workspace", workspace_id),
        ("api_key", key_id),
        ("integration", f"{integration_id}:{workspace_id}"),
        ("provider", f"{workspace_id}:{provider}"),
    ]
    return owners if tenant_id is None else [*owners, ("tenant", tenant_id)]


class Budgets:
    """Belongs to one writer: it is asked within that writer's transactions only."""

    def __init__(self) -> None:
        self._version = -1
        self._of_call: dict[Parents, tuple[Budget, ...]] = {}
        self._of_owner: dict[OwnerKey, tuple[Budget, ...]] = {}
        self._percents: dict[tuple[str, str], Sequence[int]] = {}
        self._zones: dict[str, Zone] = {}
        self._policies: dict[str, list[LimitPolicy]] = {}
        self._of_group: dict[tuple[str, Values], Budget] = {}

    def of(
        self, connection: Connection, records: Sequence[UsageRecord]
    ) -> list[tuple[tuple[Budget, ...], list[UsageRecord]]]:
        """The records, together by the budgets they count against, as of this transaction. Those with none are left
        out."""
        self._refresh(connection)
        together: dict[Parents, list[UsageRecord]] = {}
        for record in records:
            together.setdefault(_parents(record), []).append(record)
        if unknown := [each for each in together if each not in self._of_call]:
            self._load(connection, {owner for each in unknown for owner in _owners(each)})
            for each in unknown:
                self._of_call[each] = tuple(budget for owner in _owners(each) for budget in self._of_owner[owner])
        found = [(budgets, its) for each, its in together.items() if (budgets := self._of_call[each])]
        return found + self._of_policies(records) if self._policies else found

    def _of_policies(self, records: Sequence[UsageRecord]) -> list[tuple[tuple[Budget, ...], list[UsageRecord]]]:
        together: dict[Budget, list[UsageRecord]] = {}
        for record in records:
            if policies := self._policies.get(record.organization_id):
                for policy, values in groups_of(policies, facts_of_record(record)):
                    together.setdefault(self._group(policy, values), []).append(record)
        return [((budget,), its) for budget, its in together.items()]

    def _group(self, policy: LimitPolicy, values: Values) -> Budget:
        if (known := self._of_group.get((policy.id, values))) is not None:
            return known
        if len(self._of_group) >= _MOST_GROUPS:
            self._of_group.clear()
        allowance = policy.allowance(values, self._zones.get(policy.organization_id, UTC))
        assert isinstance(allowance.scope, PolicyScope)
        owner = Owner(policy.organization_id, policy.workspace_id)
        thresholds = self._thresholds(allowance, policy.usage_limits[0], owner)
        made = Budget(allowance, owner, thresholds, counts_in(allowance.scope), allowance.since)
        self._of_group[(policy.id, values)] = made
        return made

    def find(self, connection: Connection, allowances: Iterable[Allowance]) -> list[Budget]:
        """The budgets with these allowances' ids that there still are."""
        self._refresh(connection)
        found: list[Budget] = []
        for allowance in allowances:
            if isinstance(allowance.scope, PolicyScope):
                found += self._found(allowance, allowance.scope)
                continue
            owner = (allowance.scope.kind, allowance.scope.id)
            self._load(connection, [owner])
            found += [budget for budget in self._of_owner[owner] if budget.allowance.id == allowance.id]
        return found

    def _found(self, allowance: Allowance, scope: PolicyScope) -> list[Budget]:
        policies = self._policies.get(scope.policy.organization_id, ())
        now = [self._group(each, scope.values) for each in policies if each.id == scope.policy.id]
        return [budget for budget in now if budget.allowance.id == allowance.id]

    def _load(self, connection: Connection, owners: Iterable[OwnerKey]) -> None:
        missing: dict[str, list[str]] = {}
        for owner in owners:
            if owner not in self._of_owner:
                self._of_owner[owner] = ()
                missing.setdefault(owner[0], []).append(owner[1])
        for kind, ids in missing.items():
            for start in range(0, len(ids), _AT_ONCE):
                _LOADERS[kind](self, connection, ids[start : start + _AT_ONCE])

    def _refresh(self, connection: Connection) -> None:
        version = connection.exec_driver_sql("SELECT value FROM counter WHERE name = 'policy'").scalar_one()
        if version == self._version:
            return
        self._version = version
        self._of_call.clear()
        self._of_owner.clear()
        rows = connection.execute(select(alert_setting).where(alert_setting.c.percents.is_not(None))).mappings()
        self._percents = {(row["organization_id"], row["workspace_id"]): row["percents"] for row in rows}
        self._zones = zones(connection)
        self._of_group.clear()
        self._policies = {}
        for policy in every_limit_policy(connection):
            if policy.usage_limits:
                self._policies.setdefault(policy.organization_id, []).append(policy)

    def add(
        self,
        scope: Scope,
        owner: Owner,
        limits: Sequence[Mapping[str, Any]],
        counted: ColumnElement[bool],
        reset_at: int | None = None,
    ) -> None:
        if not limits:
            return
        usage_limits = [UsageLimit.stored(document) for document in limits]
        zone = self._zones.get(owner.organization_id, UTC)
        made = allowances(scope, usage_limits, (), zone=zone, usage_reset_at=reset_at)
        self._of_owner[(scope.kind, scope.id)] = tuple(
            Budget(allowance, owner, self._thresholds(allowance, limit, owner), counted, reset_at or 0)
            for allowance, limit in zip(made, usage_limits, strict=True)
        )

    def _thresholds(self, allowance: Allowance, limit: UsageLimit, owner: Owner) -> tuple[Threshold, ...]:
        of_organization = self._percents.get((owner.organization_id, ""), DEFAULT_PERCENTS)
        of_workspace = self._percents.get((owner.organization_id, owner.workspace_id or ""), of_organization)
        percents = of_workspace if limit.alert_percents is None else limit.alert_percents
        found = thresholds_of(limit.cap, limit.alert_threshold, percents)
        if allowance.scope.kind == "api_key" and limit.cap > 0:
            return (*found, Threshold(EXHAUSTED, limit.cap))
        return found


def _organizations(budgets: Budgets, connection: Connection, ids: Sequence[str]) -> None:
    table = tables.organization
    for row in connection.execute(select(table).where(table.c.id.in_(ids))):
        counted = usage_record.c.organization_id == row.id
        budgets.add(
            Scope("organization", row.id, row.name), Owner(row.id), row.usage_limits, counted, row.usage_reset_at
        )


def _workspaces(budgets: Budgets, connection: Connection, ids: Sequence[str]) -> None:
    table = tables.workspace
    for row in connection.execute(select(table).where(table.c.id.in_(ids))):
        owner = Owner(row.organization_id, row.id)
        counted = usage_record.c.workspace_id == row.id
        budgets.add(Scope("workspace", row.id, row.slug), owner, row.usage_limits, counted, row.usage_reset_at)


def _tenants(budgets: Budgets, connection: Connection, ids: Sequence[str]) -> None:
    table = tables.tenant
    for row in connection.execute(select(table).where(table.c.id.in_(ids))):
        owner = Owner(row.organization_id, row.workspace_id, row.id)
        counted = usage_record.c.tenant_id == row.id
        budgets.add(Scope("tenant", row.id, row.slug), owner, row.usage_limits, counted, row.usage_reset_at)


def _api_keys(budgets: Budgets, connection: Connection, ids: Sequence[str]) -> None:
    table = tables.api_key
    for row in connection.execute(select(table).where(table.c.id.in_(ids))):
        owner = Owner(row.organization_id, row.workspace_id, row.tenant_id, row.id)
        counted = usage_record.c.key_id == row.id
        budgets.add(Scope("api_key", row.id, row.name), owner, row.usage_limits, counted, row.usage_reset_at)


def _integrations(budgets: Budgets, connection: Connection, ids: Sequence[str]) -> None:
    table, integration = tables.integration_workspace, tables.integration
    pairs = [tuple(reference.split(":")) for reference in ids]
    statement = (
        select(table, integration.c.slug, integration.c.organization_id)
        .join(integration, integration.c.id == table.c.integration_id)
        .where(tuple_(table.c.integration_id, table.c.workspace_id).in_(pairs))
    )
    for row in connection.execute(statement):
        scope = Scope("integration", f"{row.integration_id}:{row.workspace_id}", row.slug)
        counted = and_(
            usage_record.c.workspace_id == row.workspace_id, usage_record.c.integration_id == row.integration_id
        )
        owner = Owner(row.organization_id, row.workspace_id)
        budgets.add(scope, owner, row.usage_limits, counted, row.usage_reset_at)


def _providers(budgets: Budgets, connection: Connection, ids: Sequence[str]) -> None:
    table, integration = tables.provider, tables.integration
    pairs = [tuple(reference.split(":")) for reference in ids]
    statement = (
        select(table, integration.c.organization_id)
        .join(integration, integration.c.id == table.c.integration_id)
        .where(tuple_(table.c.workspace_id, table.c.slug).in_(pairs))
    )
    for row in connection.execute(statement):
        counted = and_(usage_record.c.workspace_id == row.workspace_id, usage_record.c.provider == row.slug)
        owner = Owner(row.organization_id, row.workspace_id)
        scope = Scope("provider", f"{row.workspace_id}:{row.slug}", row.slug)
        budgets.add(scope, owner, row.usage_limits, counted, row.usage_reset_at)


_LOADERS: Final = {
    "organization": _organizations,
    "workspace": _workspaces,
    "tenant": _tenants,
    "api_key": _api_keys,
    "integration": _integrations,
    "provider": _providers,
}
