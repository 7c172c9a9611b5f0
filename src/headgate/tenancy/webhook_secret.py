"""The secrets webhooks are signed with: made here, shown once, kept sealed."""

import base64
import os
from typing import Final

from headgate.base.ids import RandomBytes
from headgate.tenancy.vault import Vault
from headgate.tenancy.webhook import Webhook

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret(random_bytes: RandomBytes = os.urandom) -> str:
    return PREFIX + base64.b64encode(random_bytes(SECRET_BYTES)).decode()


def secrets_of(webhook: Webhook, vault: Vault, now: int) -> list[str]:
    """What to sign with, the current one first; within a rotation there are two. Raises `CannotOpen`."""
    sealed = [webhook.sealed_secret]
    if webhook.sealed_previous is not None and webhook.previous_until is not None and now < webhook.previous_until:
        sealed.append(webhook.sealed_previous)
    return [vault.open(each, webhook.organization_id, webhook.secret_row).decode() for each in sealed]
