"""Where an administrator may point an integration."""

import ipaddress

from headgate.base.errors import InvalidRequest
from headgate.tenancy.integrations import CheckUrl
from headgate.upstream.guard import METADATA_NAMES, Guard
from headgate.upstream.origin import Origin

PARAM = "configurations.custom_host"


def custom_host_rule(guard: Guard) -> CheckUrl:
    """The same reading of a URL, and the same forbidden addresses, as when the call is made.

    A name is resolved and vetted then, because it may point elsewhere by that time.
    """

    def check(url: str) -> str:
        origin = Origin.parse(url, param=PARAM)
        if origin.host in METADATA_NAMES:
            raise InvalidRequest(f"`{PARAM}` names a metadata service.", param=PARAM)
        try:
            address = ipaddress.ip_address(origin.host)
        except ValueError:
            return str(origin)
        if (objection := guard.objection(address)) is not None:
            raise InvalidRequest(f"`{PARAM}` points at {address}, {objection}.", param=PARAM)
        return str(origin)

    return check
