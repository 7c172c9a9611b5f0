"""Searches, and the time they are about: what was wrong is said in their place, and nothing that was typed is lost."""

import re
from html import unescape

import pytest

from tests.console.conftest import Browser, text_of
from tests.console.furnished import customer

FORM = re.compile(r'<form method="get" action="([^"]+)"[^>]*?aria-label="([^"]+)".*?</form>', re.DOTALL)
FIELD = re.compile(r'<(?:input|button)[^>]*? name="([^"]+)" value="([^"]*)"')


@pytest.mark.parametrize(
    ("path", "said", "typed"),
    [
        ("/console/requests?status_code=5xx&ai_model=gpt", "Status: Must be a number.", ["5xx", "gpt"]),
        ("/console/requests?metadata={x&tier=1", "Metadata: Must be a JSON object", ["{x"]),
        ("/console/requests?from=2027-01-02T00:00&to=2027-01-01T00:00", "From: Must be before", ["2027-01-02T00:00"]),
        ("/console/requests?tz=Mars/Base&ai_model=gpt", "Time zone: Must be the IANA name", ["gpt"]),
        ("/console/analytics?by=model&status_code=5xx", "Status: Must be a number.", ["5xx"]),
        ("/console/analytics?from=yesterday&tenant_id=acme", "From: Must be a date and a time", ["yesterday", "acme"]),
        ("/console/requests?tenant_id=nobody&ai_model=gpt", "There is no tenant `nobody`.", ["nobody", "gpt"]),
        ("/console/analytics?tenant_id=nobody&by=model", "There is no tenant `nobody`.", ["nobody"]),
        ("/console/audit?range=1y&action=update", "Last: Must be one of", ["update"]),
    ],
)
async def test_what_is_wrong_with_a_search_is_said_where_its_rows_would_be(
    admin: Browser, path: str, said: str, typed: list[str]
) -> None:
    """By the name that the field has on the page, with all that was typed."""
    reply = await admin.get(path)
    assert reply.status == (404 if "no tenant" in said else 400)
    assert said in text_of(reply)
    assert ('<option value="7d" selected>' in reply.body.decode()) == ("from=" not in path)
    for text in typed:
        assert f'value="{text}"' in unescape(reply.body.decode())


async def test_a_script_that_searches_is_told_too(admin: Browser) -> None:
    """As a part that it puts into the page: what was found before does not stay there."""
    reply = await admin.get("/console/requests?status_code=5xx", {"hx-request": "true"})
    assert (reply.status, b"<html" in reply.body) == (200, False)
    assert "Status: Must be a number." in text_of(reply)
    half = await admin.get("/console/requests?tenant_id=ac", {"hx-request": "true"})
    assert (half.status, "There is no tenant `ac`." in text_of(half)) == (200, True)


@pytest.mark.parametrize(
    "path",
    ["/console", "/console/tenants", "/console/workspaces", "/console/tenants/acme", "/console/workspaces/place"],
)
async def test_another_time_zone_leaves_the_time_and_the_other_way_round(admin: Browser, path: str) -> None:
    """Whoever types a zone and presses Enter gets the same days in it."""
    await customer(admin.world)
    chosen = await forms(admin, f"{path}?from=2027-01-10T00:00&to=2027-01-12T00:00&tz=Asia/Tokyo&name=a")
    zone = {"from": "2027-01-10T00:00", "to": "2027-01-12T00:00", "tz": "Asia/Tokyo"}
    assert chosen["Zone"].items() >= zone.items()
    assert "range" not in chosen["Zone"]
    by_name = await forms(admin, f"{path}?range=30d&tz=Asia/Tokyo&name=a")
    assert by_name["Zone"]["range"] == "30d"
    assert by_name["Last"]["tz"] == "Asia/Tokyo"


@pytest.mark.parametrize("path", ["/console/tenants", "/console/workspaces"])
async def test_a_search_keeps_the_time_and_the_time_the_search(admin: Browser, path: str) -> None:
    """Of lists that are about a time."""
    await customer(admin.world)
    found = await forms(admin, f"{path}?range=30d&tz=Asia/Tokyo&name=a")
    assert found["Search"].items() >= {"range": "30d", "tz": "Asia/Tokyo", "name": "a"}.items()
    assert (found["Last"]["name"], found["Zone"]["name"]) == ("a", "a")


async def forms(admin: Browser, path: str) -> dict[str, dict[str, str]]:
    """What each form of a page that asks for another one has in its fields, by the form's name."""
    page = (await admin.get(path)).body.decode()
    return {found[2]: dict(FIELD.findall(unescape(found[0]))) for found in FORM.finditer(page)}


async def test_a_session_that_is_over_leads_back_to_its_form(admin: Browser) -> None:
    """Once one has signed in again."""
    admin.cookies.clear()
    page = "http://test/console/workspaces/new?x=1"
    reply = await admin.send("POST", "/console/workspaces/new", {"name": "Pro"}, {"referer": page})
    assert reply.status == 401
    assert b'<a href="/console/sign-in?next=/console/workspaces/new">Sign in</a>' in reply.body
