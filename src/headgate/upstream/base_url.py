"""The base URL of an integration, as it is kept."""

import ipaddress
from typing import Final

from headgate.base.errors import InvalidRequest
from headgate.upstream.guard import METADATA_NAMES, Guard
from headgate.upstream.origin import Origin

FIELD: Final = "configurations.custom_host"


def kept_base_url(url: str, guard: Guard) -> str:
    """The URL in its one spelling. Raises `InvalidRequest` on one that calls would never be sent to.

    A host name is vetted again, with the addresses it then has, at every connection.
    """
    origin = Origin.parse(url, FIELD)
    if origin.host in METADATA_NAMES:
        raise InvalidRequest(f"`{FIELD}` names a metadata service: never allowed.", param=FIELD)
    try:
        address = ipaddress.ip_address(origin.host)
    except ValueError:
        return str(origin)
    if (objection := guard.objection(address)) is not None:
        raise InvalidRequest(f"`{FIELD}` names an address {objection}.", param=FIELD)
    return str(origin)
