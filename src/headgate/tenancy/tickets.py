"""What a browser brings back to us a moment later, between two steps of signing in: sealed, and soon over."""

import base64
import binascii
import hmac
import os
from collections.abc import Mapping
from typing import Final

import msgspec

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.ids import RandomBytes
from headgate.tenancy.vault import CannotOpen, MasterKey, Vault

_PURPOSE: Final = b"headgate tickets"
_NOBODYS: Final = ""
"""A ticket is of no organization: whose it is stands inside."""


class _Ticket(msgspec.Struct, frozen=True):
    until: int
    told: dict[str, str]


class Tickets:
    """Nobody else reads, writes or prolongs one. Their key is made of the installation's own secret, so every process
    reads what another has written."""

    def __init__(self, pepper: bytes, clock: Clock, random_bytes: RandomBytes = os.urandom) -> None:
        self._vault = Vault([MasterKey(hmac.digest(pepper, _PURPOSE, "sha256"))], random_bytes)
        self._clock = clock

    def issue(self, purpose: str, told: Mapping[str, str], valid_s: int) -> str:
        """It is read for this purpose only."""
        ticket = _Ticket(self._clock.now() + valid_s * NANOS_PER_SECOND, dict(told))
        sealed = self._vault.seal(msgspec.json.encode(ticket), _NOBODYS, f"ticket/{purpose}")
        return base64.urlsafe_b64encode(sealed).decode()

    def read(self, purpose: str, text: str) -> Mapping[str, str] | None:
        """What it was issued with; None for one that is too old, or none of ours."""
        try:
            record = self._vault.open(base64.urlsafe_b64decode(text.encode()), _NOBODYS, f"ticket/{purpose}")
        except (CannotOpen, binascii.Error, ValueError):
            return None
        ticket = msgspec.json.decode(record, type=_Ticket)
        return ticket.told if self._clock.now() < ticket.until else None
