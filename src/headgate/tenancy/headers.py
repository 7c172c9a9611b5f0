"""Extra request headers of an integration: what an administrator may have sent to a provider, and what never."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy.vault import Vault

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_VALUE: Final = re.compile(r"[\x20-\x7e]{1,4096}")
_OURS: Final = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Written by the client of the upstream: another value would break the framing or the routing."""
_NAMED: Final = {"openai_organization": "openai-organization", "openai_project": "openai-project"}
_NO_HEADERS: Final = frozenset({"custom_host", "capacity"})
KNOWN: Final = ("custom_host", "custom_headers", *_NAMED, "capacity")


def extra_headers(
    configurations: Mapping[str, Any], param: str = "configurations", known: Sequence[str] = KNOWN
) -> list[tuple[str, str]] | None:
    """The headers that `custom_headers`, `openai_organization` and `openai_project` ask for; None if none of them is
    there. Raises `InvalidRequest` on these and on any configuration that is not known: it would not be heeded."""
    for field in configurations:
        if field not in known:
            raise InvalidRequest(
                f"`{param}.{field[:100]}` is not supported. Known: {', '.join(known)}.",
                param=f"{param}.{field[:100]}",
            )
    if set(configurations) <= _NO_HEADERS:
        return None
    given = configurations.get("custom_headers") or {}
    if not isinstance(given, Mapping):
        raise InvalidRequest(f"`{param}.custom_headers` must be an object.", param=f"{param}.custom_headers")
    found = [_header(name, value, f"{param}.custom_headers.{name}") for name, value in given.items()]
    for field, header in _NAMED.items():
        if configurations.get(field):
            found.append(_header(header, configurations[field], f"{param}.{field}"))
    if len({name for name, _ in found}) < len(found):
        raise InvalidRequest(f"`{param}.custom_headers` names a header twice.", param=f"{param}.custom_headers")
    return found


def sealed_headers(
    vault: Vault, headers: Sequence[tuple[str, str]] | None, organization_id: str, row: str
) -> bytes | None:
    """As they are kept: their values are often credentials. None for none."""
    return vault.seal(json.dumps(headers).encode(), organization_id, row) if headers else None


def _header(name: str, value: object, param: str) -> tuple[str, str]:
    lower = name.lower()
    if not _NAME.fullmatch(lower) or lower in _OURS:
        raise InvalidRequest(f"`{param[:200]}` is not a header that can be set.", param=param[:200])
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise InvalidRequest(f"`{param}` must be one line of printable ASCII text.", param=param)
    return lower, value
