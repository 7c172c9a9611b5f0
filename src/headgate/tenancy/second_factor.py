"""A second factor: codes that an app on somebody's telephone makes of a shared secret and the time (RFC 6238)."""

import base64
import hmac
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from headgate.base.clock import NANOS_PER_SECOND

SECRET_BYTES: Final = 20
"""As long as the digest that is made of it, which RFC 4226 recommends."""
DIGITS: Final = 6
STEP_S: Final = 30
_STEPS_OFF: Final = 1
"""How far the telephone's clock may be off, either way."""
_CODE: Final = re.compile(rf"[0-9]{{{DIGITS}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """Of one user. `sealed_secret` is the vault's record. Times are nanoseconds since the epoch."""

    user_id: str
    organization_id: str
    sealed_secret: bytes = field(repr=False)
    recovery_hashes: tuple[str, ...] = field(default=(), repr=False)
    """HMACs, in hexadecimal, of the codes for a telephone that is lost; each works once."""
    last_step: int = 0
    """Of the last code that was taken: neither it nor an older one is taken again."""
    created_at: int
    confirmed_at: int | None = None
    """None: it was begun, and is asked of nobody."""

    @property
    def secret_row(self) -> str:
        """What the vault binds the secret to."""
        return f"second_factor/{self.user_id}/secret"


def step_of(secret: bytes, code: str, now: int) -> int | None:
    """The step of time that the code is of, around `now` (nanoseconds since the epoch); None where it is of none."""
    if _CODE.fullmatch(code) is None:
        return None
    present = now // (STEP_S * NANOS_PER_SECOND)
    near = range(present - _STEPS_OFF, present + _STEPS_OFF + 1)
    right = [step for step in near if hmac.compare_digest(code_at(secret, step), code)]
    return max(right, default=None)


def code_at(secret: bytes, step: int) -> str:
    """Six digits: RFC 4226's, of the step's number."""
    digest = hmac.digest(secret, step.to_bytes(8), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def secret_text(secret: bytes) -> str:
    """As people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def otpauth(secret: bytes, issuer: str, account: str) -> str:
    """What an app reads from a QR code."""
    query = {"secret": secret_text(secret), "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_S}
    return f"otpauth://totp/{quote(f'{issuer}:{account}', safe='')}?{urlencode(query, quote_via=quote)}"
