"""What the customers of a tenant may do in the portal, and which sites may show it in a frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from headgate.base.errors import InvalidRequest
from headgate.tenancy import rules

MOST_ORIGINS: Final = 20
_AT_HOME: Final = ("localhost", "127.0.0.1", "[::1]")
Document = Mapping[str, Any]
"""Of a workspace or a tenant, only the fields that it sets."""


class KeyAccess(StrEnum):
    """To the keys of one's tenant."""

    NONE = "none"
    READ = "read"
    MANAGE = "manage"
    """Make them, give them other secrets, and revoke them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """What there is in the portal of one tenant, beside its usage, its limits and its models."""

    keys: KeyAccess = KeyAccess.READ
    playground: bool = True
    """Calls from the portal, billed to the tenant as any other."""
    request_log: bool = True


def portal(workspace: Document, tenant: Document) -> Portal:
    """What the workspace says, and over it what the tenant says."""
    found: dict[str, Any] = {**workspace, **tenant}
    if "keys" in found:
        found["keys"] = KeyAccess(found["keys"])
    return Portal(**found)


def portal_document(value: object, param: str = "portal") -> Document:
    """`{"keys": "manage", "playground": false, "request_log": true}`, or some of it; null: nothing is said here.

    An unknown field is refused: a misspelt one must not be taken for one that is in force."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"`{param}` must be an object of keys, playground, request_log.", param=param)
    found: dict[str, Any] = {}
    for name, each in value.items():
        where = f"{param}.{name}"[:200]
        if name == "keys":
            if each not in tuple(KeyAccess):
                raise InvalidRequest(f"`{where}` must be one of {', '.join(KeyAccess)}.", param=where)
            found[name] = str(each)
        elif name in ("playground", "request_log"):
            if not isinstance(each, bool):
                raise InvalidRequest(f"`{where}` must be true or false.", param=where)
            found[name] = each
        else:
            raise InvalidRequest(f"`{where}` is not known. Known: keys, playground, request_log.", param=where)
    return found


def origins(value: object, param: str = "portal_origins") -> tuple[str, ...]:
    """Sites, each as a browser names it: `https://app.example.com`. Plain HTTP is for one's own machine only."""
    return tuple(
        _origin(each, f"{param}[{index}]") for index, each in enumerate(rules.texts(value, param, MOST_ORIGINS))
    )


def _origin(text: str, param: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _AT_HOME)
    # What comes out is written into a header: nothing but the parts of an origin may be in it.
    if not secure or not host or origin != text.lower() or not host.isascii() or set(host) & set(" ;,*'\"\\%"):
        raise InvalidRequest(
            f"`{param}` must be an origin such as https://app.example.com: without a path, and over TLS.", param=param
        )
    return origin
