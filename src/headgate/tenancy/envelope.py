"""What only the receiver of a letter may read: sealed while it waits in the outbox."""

import base64
import hmac
import os
from typing import Final

from headgate.base.ids import RandomBytes
from headgate.tenancy.vault import MasterKey, Vault

_PURPOSE: Final = b"headgate letters"


class Envelope:
    """Its key is made of the installation's own secret, so that a rotation of the master key changes no letter."""

    def __init__(self, pepper: bytes, random_bytes: RandomBytes = os.urandom) -> None:
        self._vault = Vault([MasterKey(hmac.digest(pepper, _PURPOSE, "sha256"))], random_bytes)

    def seal(self, text: str, organization_id: str, event_id: str) -> str:
        """It opens for this event only."""
        return base64.b64encode(self._vault.seal(text.encode(), organization_id, _row(event_id))).decode()

    def open(self, sealed: str, organization_id: str, event_id: str) -> str:
        """Raises `CannotOpen`."""
        return self._vault.open(base64.b64decode(sealed), organization_id, _row(event_id)).decode()


def _row(event_id: str) -> str:
    return f"event/{event_id}/body"
