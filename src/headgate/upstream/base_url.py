"""The base URL of an integration, as it is kept, and where a whole URL leads."""

import ipaddress

from headgate.base.errors import InvalidRequest
from headgate.upstream.guard import METADATA_NAMES, Guard
from headgate.upstream.origin import Origin


def kept_base_url(url: str, param: str, guard: Guard) -> str:
    """The URL in its one spelling. Raises `InvalidRequest` about `param` on one that calls would never be sent to."""
    return str(vetted_origin(url, guard, param))


def vetted_origin(url: str, guard: Guard, param: str) -> Origin:
    """Where a URL without query leads. Raises `InvalidRequest` about `param` where nothing would ever be sent to.

    A host name is vetted again, with the addresses it then has, at every connection.
    """
    origin = Origin.parse(url, param)
    if origin.host in METADATA_NAMES:
        raise InvalidRequest(f"`{param}` names a metadata service: never allowed.", param=param)
    try:
        address = ipaddress.ip_address(origin.host)
    except ValueError:
        return origin
    if (objection := guard.objection(address)) is not None:
        raise InvalidRequest(f"`{param}` names an address {objection}.", param=param)
    return origin


def target_of(url: str, param: str = "url") -> tuple[Origin, bytes]:
    """Origin, and path with query, of a URL. Raises `InvalidRequest` about `param`."""
    before, mark, query = url.partition("?")
    origin = Origin.parse(before, param)
    slash = b"/" if before.endswith("/") or not origin.base_path else b""
    return Origin(origin.scheme, origin.host, origin.port), origin.base_path + slash + (mark + query).encode()
