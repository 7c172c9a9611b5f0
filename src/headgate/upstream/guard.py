"""Which addresses may be spoken to: resolved, vetted and pinned before a connection is opened.

The name is resolved here and nowhere else; the connection goes to the very addresses that were vetted, so a name that
changes its mind between check and use (DNS rebinding) gains nothing.
"""

import ipaddress
from ipaddress import IPv4Address, IPv6Address
from typing import Final, TypeAlias

from headgate.upstream.failed import Failed
from headgate.upstream.lookups import Lookups, Resolve
from headgate.upstream.origin import Origin

Address: TypeAlias = IPv4Address | IPv6Address

METADATA_NAMES: Final = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.internal",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.tencentyun.com",
        "metadata.platformequinix.com",
    }
)
"""Names under which clouds hand credentials to whoever asks from inside."""

_NEVER: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # "this host": reaches loopback
        "169.254.0.0/16",  # link-local: AWS, Google, Azure, Oracle, DigitalOcean metadata
        "100.100.100.200/32",  # Alibaba metadata
        "168.63.129.16/32",  # Azure's wire server
        "192.0.0.192/32",  # Oracle metadata
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
        "::/128",
        "fe80::/10",
        "fd00:ec2::254/128",  # AWS metadata
        "fd00:ec2::23/128",  # AWS credentials for containers
        "fd20:ce::254/128",  # Google metadata
        "ff00::/8",
    )
)
_PRIVATE: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # carrier-grade NAT, also used inside clouds
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "::1/128",
        "fc00::/7",
        "fec0::/10",
        "100::/64",
        "2001:db8::/32",
    )
)
# Where an IPv4 address hides inside an IPv6 one: the network, and how many bits lie right of the IPv4 part.
_EMBEDDED: Final = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # translated
    (ipaddress.IPv6Network("::/96"), 0),  # compatible
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 0),  # NAT64, local
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)
_TEREDO: Final = ipaddress.IPv6Network("2001::/32")  # the IPv4 address of the client, inverted, is in the last 32 bits


class Guard:
    """Vets where a request may go. Link-local and metadata addresses never; private and loopback ones if allowed."""

    def __init__(self, *, allow_private: bool = True, resolve: Resolve | None = None) -> None:
        self.allow_private = allow_private
        self._resolve = Lookups(resolve)

    async def addresses(self, origin: Origin) -> list[Address]:
        """The addresses to connect to, in the resolver's order. One bad address among them condemns the name."""
        if origin.host in METADATA_NAMES:
            raise Failed("blocked_address", f"{origin.host} is a metadata service", sent=False)
        try:
            found: list[Address] = [ipaddress.ip_address(origin.host)]
        except ValueError:
            try:
                texts = await self._resolve(origin.host)
            except OSError as error:
                said = error.strerror or str(error)
                raise Failed("connect", f"{origin.host} cannot be resolved: {said}", sent=False) from error
            found = [ipaddress.ip_address(text.partition("%")[0]) for text in texts]
        if not found:
            raise Failed("connect", f"{origin.host} has no address", sent=False)
        for address in found:
            if (why := self.objection(address)) is not None:
                raise Failed("blocked_address", f"{origin.host} is at {address}, {why}", sent=False)
        return found

    def objection(self, address: Address) -> str | None:
        """Why this address must not be connected to; None if it may."""
        for form in (address, *_hidden(address)):
            if any(form in network for network in _NEVER):
                return "which is link-local, a metadata service or no single host: never allowed"
            if not self.allow_private and any(form in network for network in _PRIVATE):
                return "which is private or loopback: not allowed by the settings"
        return None


def _hidden(address: Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address) or address == IPv6Address("::1"):  # "::1" lies in ::/96 and hides nothing
        return []
    found = [IPv4Address(int(address) >> shift & 0xFFFFFFFF) for network, shift in _EMBEDDED if address in network]
    if address in _TEREDO:
        found.append(IPv4Address(~int(address) & 0xFFFFFFFF))
    return found
