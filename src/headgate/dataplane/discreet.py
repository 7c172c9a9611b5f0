"""A provider's error may repeat the credential it was sent. It goes no further: not to a customer, not into a log."""

import json
from typing import Final

from headgate.base.errors import HeadgateError
from headgate.base.redaction import REDACTED
from headgate.routing.plan import Target

SHORTEST: Final = 8
"""Of what is taken out: a shorter value is no credential, and taking it out would take apart ordinary words."""


def without_credentials(body: bytes, target: Target) -> bytes:
    """The body without the target's credential and without the values of its own headers, as they are or in JSON."""
    values = [target.provider.secret.reveal(), *(value for _, value in target.provider.headers)]
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= SHORTEST:
            for spelling in {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}:
                body = body.replace(spelling.encode(), REDACTED.encode())
    return body


def make_discreet(error: HeadgateError, target: Target) -> None:
    """Take them out of its message, which may be the provider's own."""
    error.message = without_credentials(error.message.encode("utf-8", "replace"), target).decode()
    error.args = (error.message,)
