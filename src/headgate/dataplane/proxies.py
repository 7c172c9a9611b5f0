"""Whom a request came from, where proxies stand before: what they say counts only if they are known."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from headgate.dataplane.asgi import Scope

FORWARDED: Final = b"x-forwarded-for"
COUNTRY: Final = "headgate.country"
"""Where a scope has the country, in two capital letters, if a proxy told it."""
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def networks(text: str) -> list[Network]:
    """Addresses and networks with commas between them. Raises `ValueError`."""
    return [ip_network(each.strip()) for each in text.split(",")]


class Proxies:
    """Those that are `trusted`, and the header in which they tell the client's country."""

    def __init__(self, trusted: Iterable[Network] = (), country_header: str | None = None) -> None:
        self._trusted = tuple(trusted)
        self._country = None if country_header is None else country_header.lower().encode("latin-1", "replace")

    def seen(self, scope: Scope) -> Scope:
        """The same request, as from the last address before the known proxies. It is as it came where none sent it."""
        client = scope.get("client")
        address = None if client is None else _address(client[0])
        if address is None or not self._trusts(address):
            return scope
        for before in _forwarded(scope):
            if before is None:
                break
            address = before
            if not self._trusts(address):
                break
        changes: dict[str, Any] = {"client": (str(address), 0)}
        if (country := self._country_of(scope)) is not None:
            changes[COUNTRY] = country
        return {**scope, **changes}

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)

    def _country_of(self, scope: Mapping[str, Any]) -> str | None:
        for name, value in scope["headers"]:
            if name == self._country:
                text = value.decode("latin-1").strip().upper()
                return text if len(text) == 2 and text.isascii() and text.isalpha() else None
        return None


def _forwarded(scope: Mapping[str, Any]) -> Iterator[Address | None]:
    """The nearest first: each proxy writes at the end whom it heard from. None: what is there is no address."""
    told = b",".join(value for name, value in scope["headers"] if name == FORWARDED)
    for each in reversed(told.decode("latin-1").split(",") if told else []):
        yield _address(each.strip())


def _address(text: str) -> Address | None:
    """Without its port; an IPv4 address that is written as IPv6 is the former."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
