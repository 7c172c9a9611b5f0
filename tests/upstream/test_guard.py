"""Which addresses may be spoken to."""

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

import pytest

from headgate.upstream.failed import Failed
from headgate.upstream.guard import METADATA_NAMES, Guard
from headgate.upstream.origin import Origin

NEVER = [
    "169.254.169.254",
    "169.254.170.2",
    "0.0.0.0",
    "0.1.2.3",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "febf::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "ff02::1",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::ffff:0:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:5601:5601",
    "::ffff:0.0.0.0",
]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::1",
]
PUBLIC = ["8.8.8.8", "104.18.7.192", "172.32.0.1", "100.128.0.1", "2606:4700::6812:7c0", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("allow_private", [True, False])
def test_link_local_and_metadata_addresses_are_never_allowed(address: str, allow_private: bool) -> None:
    """In whatever way the address is wrapped into IPv6, and whatever the settings say."""
    assert Guard(allow_private=allow_private).objection(ip_address(address)) is not None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_a_matter_of_settings(address: str) -> None:
    """A model on the own network is a normal case; a platform that lets others name hosts forbids it."""
    assert Guard(allow_private=True).objection(ip_address(address)) is None
    assert Guard(allow_private=False).objection(ip_address(address)) is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    """Also beside the edges of the private ranges."""
    assert Guard(allow_private=False).objection(ip_address(address)) is None


def resolver(*addresses: str) -> Callable[[str], Awaitable[Sequence[str]]]:
    async def resolve(host: str) -> Sequence[str]:
        return addresses

    return resolve


@pytest.mark.parametrize("name", sorted(METADATA_NAMES))
async def test_metadata_names_are_refused_before_they_are_looked_up(name: str) -> None:
    """Whatever address they would have here."""

    async def resolve(host: str) -> Sequence[str]:
        raise AssertionError("looked up")

    with pytest.raises(Failed) as caught:
        await Guard(resolve=resolve).addresses(Origin.parse(f"http://{name.upper()}./"))
    assert (caught.value.kind, caught.value.sent) == ("blocked_address", False)


async def test_one_bad_address_condemns_the_name() -> None:
    """A name that mixes good and bad addresses is somebody's trick, not somebody's provider."""
    guard = Guard(resolve=resolver("8.8.8.8", "169.254.169.254"))
    with pytest.raises(Failed) as caught:
        await guard.addresses(Origin.parse("https://api.example/"))
    assert caught.value.kind == "blocked_address"


async def test_a_name_without_address_cannot_be_connected() -> None:
    """Nothing was sent, and the kind says that it is not about addresses being forbidden."""

    async def unknown(host: str) -> Sequence[str]:
        raise OSError("Name or service not known")

    for resolve in (unknown, resolver()):
        with pytest.raises(Failed) as caught:
            await Guard(resolve=resolve).addresses(Origin.parse("https://nowhere.example/"))
        assert (caught.value.kind, caught.value.sent) == ("connect", False)


async def test_the_systems_resolver_is_used_by_default() -> None:
    """`localhost` is loopback, and forbidden where private addresses are."""
    found = await Guard().addresses(Origin.parse("http://localhost:8000/"))
    assert found
    assert all(address.is_loopback for address in found)
    with pytest.raises(Failed):
        await Guard(allow_private=False).addresses(Origin.parse("http://localhost:8000/"))
