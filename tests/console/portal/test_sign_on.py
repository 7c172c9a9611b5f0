"""Single sign-on at the portal of a whole gateway, as its settings say; and a customer's own sessions."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headgate.base.clock import SystemClock
from headgate.embed import Headgate
from tests.console.conftest import text_of
from tests.console.portal.conftest import Guest, Place, Tenant
from tests.support.asgi import Reply
from tests.support.http import call
from tests.support.issuer import CLIENT, SECRET, LoopbackIssuer, issuing

ACCOUNT = "/portal/account"


@pytest.fixture
async def issuer() -> AsyncIterator[LoopbackIssuer]:
    async with issuing(SystemClock().now() // 1_000_000_000) as running:
        yield running


@pytest.fixture
async def place(
    tmp_path: Path, template: tuple[Path, tuple[Tenant, Tenant]], issuer: LoopbackIssuer
) -> AsyncIterator[Place]:
    """A gateway with an issuer."""
    data, (acme, other) = template
    headgate = Headgate(
        data_dir=shutil.copytree(data, tmp_path / "data"),
        drain_timeout_s=0,
        url="http://test",
        oidc_issuer=issuer.url,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        oidc_domains="example.org, @Example.com",
    )
    async with headgate.running():
        yield Place(headgate, acme, other)


async def signed_on(guest: Guest, wanted: str = "/portal/limits") -> Reply:
    begun = await guest.send("GET", f"/portal/sign-on?next={wanted}")
    told = await asyncio.to_thread(call, "GET", begun.headers["location"])
    return await guest.send("GET", (told.header("location") or "").removeprefix("http://test"))


async def test_a_customer_signs_in_at_work(place: Place, issuer: LoopbackIssuer) -> None:
    """Who is invited comes in with it, sees his sessions and ends those elsewhere; a stranger stays outside."""
    invite = {"email": "ann@example.com", "role": "member", "tenants": [{"id": "acme", "role": "manager"}]}
    stranger = place.guest()
    assert (await signed_on(stranger)).status == 403
    await place.admin("POST", "/admin/users/invites", invite)
    guests = [place.guest() for _ in range(3)]
    for guest in guests:
        reply = await signed_on(guest)
        assert (reply.status, reply.headers["location"]) == (303, "/portal/limits"), text_of(reply)
    seen = text_of(await guests[0].get(ACCOUNT))
    assert "Name of acme" in seen
    assert seen.count("End") == 2
    assert (await guests[0].post(f"{ACCOUNT}/sessions/end", {"session": "pses_nobody"}, ACCOUNT)).status == 404
    await guests[0].post(f"{ACCOUNT}/sessions/end", {}, ACCOUNT)
    assert [(await guest.send("GET", "/portal")).status for guest in guests] == [200, 303, 303]
    assert (await signed_on(guests[1], "https://evil.test/")).headers["location"] == "/portal"
    begun = await guests[2].send("GET", "/console/sign-on")
    told = await asyncio.to_thread(call, "GET", begun.headers["location"])
    crossed = (told.header("location") or "").removeprefix("http://test").replace("/console/", "/portal/")
    assert (await guests[2].send("GET", crossed)).status == 401, "begun at one site, it does not end at the other"
