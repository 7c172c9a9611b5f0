"""The audit log in the console: searched, and taken away as a file."""

import csv
import io
import re
from collections.abc import AsyncIterator
from html import unescape

import pytest

from headgate.console.secured import HEADERS
from headgate.console.sheet import sheet
from tests.console.conftest import Browser, text_of
from tests.console.furnished import customer


async def test_entries_are_searched(admin: Browser) -> None:
    """By who, what he did, to what, where from, about which workspace, and when."""
    await customer(admin.world)
    workspace = await admin.world.ok("GET", "/v1/admin/workspaces/place")
    for query, there in (
        ("action=create&resource_type=tenant", True),
        ("action=delete", False),
        ("user_id=nobody", False),
        (f"workspace={workspace['id']}&resource_type=tenant", True),
        ("workspace=ws_none", False),
        ("client_ip=192.0.2.1", False),
        ("from=2027-01-15T07:00&to=2027-01-15T09:00&tz=UTC&resource_type=tenant", True),
        ("to=2027-01-15T07:00&tz=UTC", False),
    ):
        seen = text_of(await admin.get(f"/console/audit?{query}"))
        assert ("tenant tnt_" in seen) == there, query
        assert ("No entry matches" in seen) != there, query
    page = (await admin.get("/console/audit?action=create&resource_type=tenant")).body.decode()
    for path in ("keys/[a-z0-9]{16}", "tenants/tnt_\\w+"):  # who did it, and what it was done to
        found = re.search(f'<a href="(/console/{path})">', page)
        assert found, path
        assert (await admin.get(found[1])).status == 200


async def test_the_log_is_taken_away_as_a_file(admin: Browser) -> None:
    """All that match, with the chain's hashes."""
    await admin.world.ok("POST", "/v1/admin/workspaces", {"name": "Pro", "slug": "place"})
    reply = await admin.get("/console/audit/file?range=24h")
    assert reply.headers["content-type"].startswith("text/csv")
    assert {name.decode(): value.decode() for name, value in HEADERS}.items() <= reply.headers.items()
    assert reply.headers["content-disposition"] == 'attachment; filename="audit-log.csv"'
    found = list(csv.DictReader(io.StringIO(reply.body.decode())))
    entries = await admin.world.audit()
    assert [int(each["number"]) for each in found] == [each.seq for each in reversed(entries)]
    assert [each["hash"] for each in found] == [each.hash.hex() for each in reversed(entries)]
    one = await admin.get("/console/audit/file?resource_type=workspace&action=create")
    assert one.body.count(b"workspace:") == len([each for each in entries if each.resource.startswith("workspace:")])


async def test_no_cell_is_a_formula() -> None:
    """Whatever somebody wrote: a spreadsheet shows it as it is."""
    texts = ["=1+1", "+1", "-1", "@sum", "\tx", "plain", 'quoted "text"', ""]

    async def parts() -> AsyncIterator[list[list[str]]]:
        yield [texts]
        yield []

    written = [part async for part in sheet("x", [str(each) for each in range(len(texts))], parts()).body_iterator]
    (row,) = list(csv.reader(io.StringIO("".join(map(str, written)))))[1:]
    assert row == ["'=1+1", "'+1", "'-1", "'@sum", "'\tx", "plain", 'quoted "text"', ""]


async def test_a_long_chain_is_checked_in_steps(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says how far it is and leads on, with a script by itself and without one too; the end is what one look at
    all of it finds. A ticket that is made up begins anew, so no link leads past an entry that is wrong."""
    await customer(admin.world)
    monkeypatch.setattr("headgate.tenancy.audit_log.STEP", 2)
    entries = await admin.world.audit()
    page, steps = await admin.get("/console/audit/check?action=create"), 1
    assert f"Checking: 2 of {len(entries)} entries" in text_of(page)
    while onwards := re.search(r'hx-get="(/console/audit/check[^"]+)"', page.body.decode()):
        assert f'http-equiv="refresh" content="0;url={onwards[1]}"'.encode() in page.body or steps > 1
        page, steps = await admin.get(unescape(onwards[1]), {"hx-request": "true"}), steps + 1
        assert page.body.count(b"<html") == 0
    assert steps == -(-len(entries) // 2)
    assert f"All {len(entries)} entries are as they were written" in text_of(page)
    assert entries[-1].hash.hex() in text_of(page)
    assert "Checking: 2 of" in text_of(await admin.get("/console/audit/check?ticket=made-up"))
