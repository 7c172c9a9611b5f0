"""The metadata of a call: the workspace's and key's over the request's, so that a customer cannot spoof them."""

import msgspec

from headgate.dataplane.exchange import Exchange
from headgate.tenancy.policy import Policy
from headgate.wire.dialogue import Head

LONGEST = 128
"""Characters of a metadata value; what is longer is cut (contract R1.4). A key that is longer is left out."""
MOST = 64
"""Keys a request may bring; what is beyond is left out, the body's first."""

_decoder = msgspec.json.Decoder()


def metadata_of(exchange: Exchange, head: Head, policy: Policy) -> dict[str, str]:
    """Body `metadata`, over it the header's, over it key and workspace. `user` becomes `_user` unless that was given.

    A header that is not a JSON object is ignored, as the contract says.
    """
    merged = requested_metadata(exchange, head)
    if len(merged) > MOST:
        merged = dict(list(merged.items())[:MOST])
    merged.update(policy.metadata)
    return merged


def requested_metadata(exchange: Exchange, head: Head) -> dict[str, str]:
    """All that the request itself says, the strongest first: however much a body brings, it takes nothing away from
    what the header says."""
    header = exchange.header(b"x-portkey-metadata")
    merged = {} if header is None else _parse(header)
    if head.user and "_user" not in head.metadata:
        merged.setdefault("_user", head.user[:LONGEST])
    for name, value in head.metadata.items():
        merged.setdefault(name, value)
    return merged


def _parse(header: bytes) -> dict[str, str]:
    try:
        value = _decoder.decode(header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    if not isinstance(value, dict):
        return {}
    return {
        key: text[:LONGEST]
        for key, item in value.items()
        if len(key) <= LONGEST and (text := as_text(item)) is not None
    }


def as_text(value: object) -> str | None:
    """Scalars as text, in JSON's own spelling; None for what is no scalar."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return None
