"""In whose page the portal may stand, and what its cookie is then."""

from http.cookies import SimpleCookie

from headgate.console.portal.app import create_portal
from headgate.dataplane.inside import Inside
from tests.console.portal.conftest import Guest, Place

SITE = "https://app.example.com"


def over_tls(place: Place) -> Guest:
    """A browser at a gateway that people reach over TLS."""
    gateway = place.headgate.gateway
    inside = Inside(gateway.data_plane, lambda name, error: None)
    return Guest(create_portal(gateway.services, inside, "https://test"))


async def entered(place: Place, guest: Guest) -> SimpleCookie:
    """The cookie of somebody who came with a link."""
    path = (await place.link()).removeprefix("http://test")
    reply = await guest.send("GET", path)
    assert reply.status == 303
    return SimpleCookie(reply.headers["set-cookie"].replace("; Partitioned", ""))


async def test_nobody_frames_it_unless_the_organization_says_so(place: Place) -> None:
    """Its cookie is for this site alone."""
    guest = over_tls(place)
    cookie = (await entered(place, guest))["headgate_portal"]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["path"]) == (True, True, "lax", "/portal")
    reply = await guest.get("/portal")
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["x-frame-options"] == "DENY"


async def test_an_origin_that_is_allowed_frames_it(place: Place) -> None:
    """With a cookie that a browser takes in a frame, kept apart for each site. The doors that need no session, and the
    console, stay closed to frames."""
    await place.admin("PUT", "/admin/organisation", {"portal_origins": [SITE, "https://b.example"]})
    guest = over_tls(place)
    path = (await place.link()).removeprefix("http://test")
    reply = await guest.send("GET", path)
    assert reply.headers["set-cookie"].endswith("; Partitioned")
    cookie = SimpleCookie(reply.headers["set-cookie"].replace("; Partitioned", ""))["headgate_portal"]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "none")
    for page in (reply, await guest.get("/portal"), await guest.get("/portal/requests/none")):
        assert page.headers["content-security-policy"].endswith(f"frame-ancestors {SITE} https://b.example")
        assert "x-frame-options" not in page.headers
    for path in ("/portal/sign-in", "/portal/enter?token=x"):
        assert (await Guest(guest.app).send("GET", path)).headers["x-frame-options"] == "DENY"
    with_key = over_tls(place)
    await with_key.send("POST", "/portal/sign-in", {"key": place.acme.key}, {"origin": "https://test"})
    assert (await with_key.get("/portal")).headers["x-frame-options"] == "DENY"
    console = await place.guest().send("GET", "/console/sign-in")
    assert console.headers["x-frame-options"] == "DENY"
    await place.admin("PUT", "/admin/organisation", {"portal_origins": []})
    assert (await guest.get("/portal")).headers["x-frame-options"] == "DENY"


async def test_without_tls_no_cookie_is_for_frames(place: Place) -> None:
    """A browser would not take it."""
    await place.admin("PUT", "/admin/organisation", {"portal_origins": [SITE]})
    cookie = (await entered(place, place.guest()))["headgate_portal"]
    assert (cookie["samesite"], cookie["secure"]) == ("lax", "")
