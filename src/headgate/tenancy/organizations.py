"""The organization's own settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.ledger.allowance import Window, WindowKind
from headgate.ledger.period import period_of
from headgate.tenancy import call_defaults, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.metadata_schema import metadata_schema
from headgate.tenancy.organization import Organization
from headgate.tenancy.owner import changed
from headgate.tenancy.owner_fields import call_changes, limit_changes
from headgate.tenancy.portal import origins
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Stores

LONGEST_RETENTION_DAYS: Final = 365
SCHEMAS: Final = ("api_key_metadata_schema", "workspace_metadata_schema")


class OrganizationService:
    """`fields`: `name`, `time_zone`, `usage_limits`, `rate_limits`, `reset_usage`, `admission`, `routing_table`,
    `defaults` (guardrails of every call), `log_bodies` (null, or `retention_days`), `portal_origins`,
    `require_second_factor` (sessions without one end), and the metadata schemas: keys and workspaces that are there
    stay as they are until they are changed. Only for the organization's keys."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def get(self, principal: Principal) -> Organization:
        principal.require_organization()
        return await self._administration.transactions.read(lambda stores: _own(stores, principal))

    async def update(self, principal: Principal, fields: Mapping[str, Any]) -> Organization:
        """What is sent takes the place of what was before. Raises `InvalidRequest` naming the field."""
        principal.require_organization()

        def work(change: Change) -> Organization:
            before = _own(change.stores, principal)
            organization = changed(before, _with(before, fields, change), change.now)
            if "time_zone" in fields:  # their periods begin elsewhere from now on, and the sums of those are new
                change.stores.limit_policies.touch(organization.id, change.now)
            if organization.require_second_factor and not before.require_second_factor:
                change.stores.sessions.remove_without_second_factor(organization.id)
                change.stores.portal_sessions.remove_without_second_factor(organization.id)
            change.stores.organizations.update(organization)
            change.touched.organization = True
            body = {"fields": sorted(fields)} | _seen(organization)
            change.record("update", f"organization:{organization.id}", body)
            return organization

        return await self._administration.change(principal, work)


def _own(stores: Stores, principal: Principal) -> Organization:
    organization = stores.organizations.get(principal.organization_id)
    assert organization is not None, "a principal without an organization"
    return organization


def _with(organization: Organization, fields: Mapping[str, Any], change: Change) -> Organization:
    changes: dict[str, Any] = {}
    if "name" in fields:
        changes["name"] = rules.name(fields["name"])
    if fields.get("time_zone") is not None:
        changes["time_zone"] = _time_zone(fields["time_zone"])
        if changes["time_zone"] != organization.time_zone:
            changes["time_zone_set_at"] = change.now
    changes |= limit_changes(organization, fields, change.now) | call_changes(fields)
    if "defaults" in fields:
        changes |= call_defaults.of_organization(organization, fields["defaults"], change)
    if "log_bodies" in fields:
        changes["keep_bodies_days"] = _keep_bodies_days(fields["log_bodies"])
    if "portal_origins" in fields:
        changes["portal_origins"] = origins(fields["portal_origins"])
    if "require_second_factor" in fields:
        changes["require_second_factor"] = _required(fields["require_second_factor"])
    for schema in SCHEMAS:
        if schema in fields:
            changes[schema] = metadata_schema(fields[schema], schema)
    if not changes:
        raise InvalidRequest(
            "There is nothing to change: send at least one of name, time_zone, limits, reset_usage, admission, "
            "routing_table, defaults, log_bodies, portal_origins, require_second_factor and the metadata schemas."
        )
    return replace(organization, **changes, updated_at=change.now)


def _time_zone(value: object) -> str:
    found = rules.name(value, "time_zone")
    try:
        period_of(Window(WindowKind.CALENDAR, unit="day", time_zone=found), 0)
    except ValueError:
        raise InvalidRequest(
            "`time_zone` must be the IANA name of a time zone, for example `Europe/Berlin`.", param="time_zone"
        ) from None
    return found


def _required(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest("`require_second_factor` must be true or false.", param="require_second_factor")
    return value


def _keep_bodies_days(value: object) -> int | None:
    """From `{"retention_days": 30}`; null: none are kept, and those that were are removed."""
    if value is None:
        return None
    days = value.get("retention_days") if isinstance(value, Mapping) else None
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= LONGEST_RETENTION_DAYS:
        raise InvalidRequest(
            f"`log_bodies.retention_days` must be a whole number from 1 to {LONGEST_RETENTION_DAYS}.",
            param="log_bodies.retention_days",
        )
    return days


def _seen(organization: Organization) -> dict[str, Any]:
    return {
        "name": organization.name,
        "time_zone": organization.time_zone,
        "usage_limits": [limit.document() for limit in organization.usage_limits],
        "rate_limits": [limit.document() for limit in organization.rate_limits],
        "admission": dict(organization.admission),
        "routing_table": dict(organization.routing),
        "input_guardrails": list(organization.input_guardrails),
        "output_guardrails": list(organization.output_guardrails),
        "keep_bodies_days": organization.keep_bodies_days,
        "portal_origins": list(organization.portal_origins),
        "require_second_factor": organization.require_second_factor,
        **{schema: getattr(organization, schema) for schema in SCHEMAS},
    }
