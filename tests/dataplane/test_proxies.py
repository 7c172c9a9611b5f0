"""Whom a request came from: what proxies say counts as far as they are known."""

from typing import Any

import pytest

from headgate.dataplane.proxies import COUNTRY, Proxies, networks


def scope(client: str | None, *forwarded: str, country: str | None = None) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    if country is not None:
        headers.append((b"cf-ipcountry", country.encode()))
    return {"client": None if client is None else (client, 4711), "headers": headers}


PROXIES = Proxies(networks("10.0.0.0/8, 2001:db8::1"), "CF-IPCountry")


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["1.2.3.4"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4, 10.9.9.9"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        ("10.0.0.1", ["1.2.3.4, nonsense, 10.2.2.2"], "10.2.2.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4:5678"], "1.2.3.4"),
        ("10.0.0.1", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("2001:db8::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:1.2.3.4"], "1.2.3.4"),
    ],
    ids=str,
)
def test_the_last_address_before_the_known_proxies_is_the_client(
    client: str, forwarded: list[str], address: str
) -> None:
    """Whatever a client wrote before it, in how many headers, with ports or without."""
    assert PROXIES.seen(scope(client, *forwarded))["client"][0] == address
    assert Proxies().seen(scope(client, *forwarded))["client"][0] == client


def test_what_has_no_address_is_as_it_came() -> None:
    """A socket of the machine, or a name."""
    for client in (None, "unix"):
        request = scope(client, "1.2.3.4", country="DE")
        assert PROXIES.seen(request) is request


@pytest.mark.parametrize(("told", "country"), [("de", "DE"), ("DE", "DE"), ("", None), ("DEU", None), ("1.", None)])
def test_a_country_is_two_letters_of_a_known_proxy(told: str, country: str | None) -> None:
    """From anybody else it is not read."""
    assert PROXIES.seen(scope("10.0.0.1", country=told)).get(COUNTRY) == country
    assert COUNTRY not in PROXIES.seen(scope("203.0.113.9", country=told))
    assert COUNTRY not in Proxies(networks("10.0.0.1")).seen(scope("10.0.0.1", country=told))
