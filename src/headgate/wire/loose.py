"""What a provider sent, read without trusting its shape: what is not of the kind expected counts as absent.

A provider's answer is never ours to refuse because of a field we do not need. Requests are read by `fields`.
"""

from typing import Any

import msgspec

from headgate.base.errors import UpstreamFailed

_decode = msgspec.json.Decoder().decode


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def integer(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[dict[str, Any]]:
    """The objects of a list; of anything else, none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def decode_object(body: bytes) -> dict[str, Any]:
    """Raises `UpstreamFailed` unless it is a JSON object."""
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamFailed("The provider's answer is not valid JSON.") from None
    if not isinstance(value, dict):
        raise UpstreamFailed("The provider's answer is not a JSON object.")
    return value
