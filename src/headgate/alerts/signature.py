"""Signatures as Standard Webhooks defines them: the receiver knows who sent a message, and when.

webhook-id         the event's id, the same at every attempt
webhook-timestamp  seconds since the epoch of this attempt
webhook-signature  v1,<base64 of HMAC-SHA256 over "id.timestamp.body">, one for each secret, with spaces between
"""

import base64
import hmac
from collections.abc import Sequence

from headgate.base.clock import NANOS_PER_SECOND

Header = tuple[bytes, bytes]


def signed_headers(secrets: Sequence[str], event_id: str, at: int, body: bytes) -> list[Header]:
    """The three headers. `at` is in nanoseconds since the epoch; a secret is `whsec_` and base64."""
    timestamp = str(at // NANOS_PER_SECOND)
    content = b"%b.%b.%b" % (event_id.encode(), timestamp.encode(), body)
    signatures = " ".join(_signature(secret, content) for secret in secrets)
    return [
        (b"webhook-id", event_id.encode()),
        (b"webhook-timestamp", timestamp.encode()),
        (b"webhook-signature", signatures.encode()),
    ]


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
