"""Every sealed secret of every organization, brought under the vault's current master key."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from headgate.base.clock import Clock
from headgate.base.ids import RandomBytes
from headgate.tenancy.administration import Change
from headgate.tenancy.integration import Integration
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.vault import Vault
from headgate.tenancy.webhook import Webhook

Noun = TypeVar("Noun", Integration, Webhook)


def reseal(stores: Stores, vault: Vault, clock: Clock, random_bytes: RandomBytes = os.urandom) -> int:
    """How many secrets were sealed anew; recorded in each organization's audit log. Runs inside one transaction."""
    total = 0
    for organization in stores.organizations.all():
        change = Change(stores, Principal.operator(organization.id), clock.now(), random_bytes)
        count = 0
        for integration in _all(stores.integrations.find, organization.id):
            rows = {"sealed_key": integration.key_row, "sealed_headers": integration.headers_row}
            fresh, secrets = _resealed(integration, vault, rows)
            if secrets:
                stores.integrations.update(fresh)
                count += secrets
            for model in stores.integrations.models(integration.id):
                record = model.sealed_headers
                if record is not None and vault.needs_rewrap(record):
                    headers = vault.rewrap(record, organization.id, model.headers_row)
                    stores.integrations.save_model(replace(model, sealed_headers=headers))
                    count += 1
        for webhook in _all(stores.webhooks.find, organization.id):
            rows = {"sealed_secret": webhook.secret_row, "sealed_previous": webhook.secret_row}
            fresh_webhook, secrets = _resealed(webhook, vault, rows)
            if secrets:
                stores.webhooks.update(fresh_webhook)
                count += secrets
        for factor in stores.second_factors.of_organization(organization.id):
            if vault.needs_rewrap(factor.sealed_secret):
                secret = vault.rewrap(factor.sealed_secret, organization.id, factor.secret_row)
                stores.second_factors.put(replace(factor, sealed_secret=secret))
                count += 1
        for answer in stores.answers.kept(organization.id):
            if answer.sealed_body is not None and vault.needs_rewrap(answer.sealed_body):
                body = vault.rewrap(answer.sealed_body, organization.id, answer.row)
                stores.answers.update(replace(answer, sealed_body=body))
                count += 1
        change.record("rotate_master_key", f"organization:{organization.id}", {"secrets": count})
        total += count
    return total


def _all(find: Callable[[str, Page], tuple[Sequence[Noun], int]], organization_id: str) -> Iterator[Noun]:
    offset = 0
    while True:
        page, total = find(organization_id, Page(offset=offset))
        yield from page
        offset += len(page)
        if offset >= total or not page:
            return


def _resealed(noun: Noun, vault: Vault, rows: dict[str, str]) -> tuple[Noun, int]:
    """`rows`: the field of each secret, and what the vault binds it to."""
    changed: dict[str, bytes] = {}
    for field, row in rows.items():
        record: bytes | None = getattr(noun, field)
        if record is not None and vault.needs_rewrap(record):
            changed[field] = vault.rewrap(record, noun.organization_id, row)
    return replace(noun, **changed), len(changed)  # type: ignore[arg-type]
