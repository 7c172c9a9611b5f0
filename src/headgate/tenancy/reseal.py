"""Every sealed secret of every organization, brought under the vault's current master key."""

import os
from dataclasses import replace

from headgate.base.clock import Clock
from headgate.base.ids import RandomBytes
from headgate.tenancy.administration import Change
from headgate.tenancy.integration import Integration
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.vault import Vault


def reseal(stores: Stores, vault: Vault, clock: Clock, random_bytes: RandomBytes = os.urandom) -> int:
    """How many secrets were sealed anew; recorded in each organization's audit log. Runs inside one transaction."""
    total = 0
    for organization in stores.organizations.all():
        change = Change(stores, Principal.operator(organization.id), clock.now(), random_bytes)
        count = 0
        for integration in _all_integrations(stores, organization.id):
            fresh, secrets = _resealed(integration, vault)
            if secrets:
                stores.integrations.update(fresh)
                count += secrets
        change.record("rotate_master_key", f"organization:{organization.id}", {"secrets": count})
        total += count
    return total


def _all_integrations(stores: Stores, organization_id: str) -> list[Integration]:
    found: list[Integration] = []
    while True:
        page, total = stores.integrations.find(organization_id, Page(offset=len(found)))
        found += page
        if len(found) >= total or not page:
            return found


def _resealed(integration: Integration, vault: Vault) -> tuple[Integration, int]:
    changed: dict[str, bytes] = {}
    for column, row in (("sealed_key", integration.key_row), ("sealed_headers", integration.headers_row)):
        record: bytes | None = getattr(integration, column)
        if record is not None and vault.needs_rewrap(record):
            changed[column] = vault.rewrap(record, integration.organization_id, row)
    return replace(integration, **changed), len(changed)  # type: ignore[arg-type]
