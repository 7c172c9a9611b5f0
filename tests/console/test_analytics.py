"""The page of analytics: any measure by anything that calls have in common, down to the rows, and as CSV."""

import re
from html import unescape
from urllib.parse import quote

import pytest

from headgate.analytics.breakdown import LABELS, MEASURES
from tests.console.conftest import Browser, text_of
from tests.console.furnished import HOUR, customer
from tests.controlplane.test_analytics import call, written

TOKENS_OF_ONE = 15


@pytest.mark.parametrize("measure", list(MEASURES))
async def test_every_measure_over_time_and_by_a_label(admin: Browser, measure: str) -> None:
    """Each has its graph and its table."""
    await customer(admin.world)
    for by in ("", "tenant"):
        reply = await admin.get(f"/console/analytics?measure={measure}&by={by}&range=24h")
        assert reply.status == 200, text_of(reply)
        assert b"data-chart" in reply.body
        assert "in all" in text_of(reply)


async def test_every_label_leads_to_its_rows(admin: Browser) -> None:
    """The figure of requests is a link to so many lines of the request log."""
    await customer(admin.world)
    followed = 0
    for by in [*LABELS, "metadata&key=Acme"]:
        page = (await admin.get(f"/console/analytics?measure=requests&by={by}&range=24h")).body.decode()
        for link, figure in re.findall(r'<td class="n"><a href="(/console/requests[^"]*)">([\d,]+)</a>', page):
            rows = await admin.get(unescape(link))
            assert rows.status == 200, text_of(rows)
            calls = rows.body.count(b'<a href="/console/requests/req_')
            assert int(figure) == calls * (TOKENS_OF_ONE if int(figure) >= TOKENS_OF_ONE else 1), (by, link)
            followed += 1
    assert followed > 10


async def test_filters_and_time_stand_in_the_address(admin: Browser) -> None:
    """So a link is a view that can be kept; metadata can be typed as people write it."""
    await customer(admin.world)
    one = text_of(await admin.get("/console/analytics?by=model&range=24h&metadata=Acme%3DAcme"))
    assert "Requests: 1 in all" in one
    both = text_of(await admin.get("/console/analytics?by=model&range=24h&tenant_id=acme"))
    assert "Requests: 2 in all" in both
    none = text_of(await admin.get("/console/analytics?by=model&range=24h&status_code=418"))
    assert "No call matches" in none
    assert (await admin.get("/console/analytics?measure=beauty")).status == 400
    assert (await admin.get("/console/analytics?by=mood")).status == 400


async def test_the_table_is_had_as_csv(admin: Browser) -> None:
    """With what is exact, and no cell that a spreadsheet takes for a formula."""
    await customer(admin.world, "=1+1")
    reply = await admin.send("GET", "/console/analytics/csv?by=tenant&range=24h")
    assert reply.headers["content-type"].startswith("text/csv")
    head, line = reply.body.decode().splitlines()
    assert head == "tenant,name,requests,errors,input_tokens,output_tokens,cost_usd,mean_latency_ms"
    assert line.split(",", 1)[1] == "'=1+1,2,1,20,10,0.01,250.000"
    hours = (await admin.send("GET", f"/console/analytics/csv?range=24h&tz={quote('Europe/Berlin')}")).body.decode()
    assert hours.startswith("from,requests,errors")
    assert len(hours.splitlines()) > 20


async def test_a_line_over_time_leads_to_its_rows(admin: Browser) -> None:
    """Also the last, whose minute is not over, and the first, which begins before the time that is asked for."""
    world, _ = admin.world, await customer(admin.world)
    world.clock.move(1_230)
    now, workspace = world.clock.now(), "ws_of_another"
    day, second = 24 * HOUR, HOUR // 3_600
    ages = (second, day - 5 * second, day + 5 * second)
    await written(
        world, [call(10 + number, world, workspace, 0, started_at=now - age) for number, age in enumerate(ages)]
    )
    for query, counted in (("range=24h", 4), ("from=2027-01-15T06:10&to=2027-01-15T07:20&tz=UTC", 1)):
        page = (await admin.get(f"/console/analytics?measure=requests&{query}")).body.decode()
        lines = re.findall(r'<td class="n"><a href="(/console/requests[^"]*)">(\d+)</a></td><td class="n">', page)
        for link, figure in lines:
            rows = await admin.get(unescape(link))
            assert rows.body.count(b'<a href="/console/requests/req_') == int(figure), link
        assert sum(int(figure) for _, figure in lines) == counted, query
