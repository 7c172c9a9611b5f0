"""What is asked of analytics and the request log stands in the address: a view is kept, shared, gone back to."""

import re

from playwright.sync_api import BrowserContext, expect

from tests.browser.house import House
from tests.browser.watch import Watch


def test_a_search_is_in_the_address_and_in_the_history(house: House, inside: BrowserContext) -> None:
    """Of the request log: as one types the address follows, and so does the way to watch; back and forward bring whole
    pages, and so does loading again."""
    page = inside.new_page()
    watch = Watch(page, [house.gateway.url])
    page.goto(f"{house.gateway.url}/console/requests")
    rows = page.locator("#rows tbody tr")
    expect(rows).to_have_count(5)
    page.get_by_label("Model", exact=True).fill("gpt-4o")
    page.wait_for_url(re.compile("ai_model=gpt-4o"))
    expect(rows).to_have_count(2)
    page.get_by_label("Status", exact=True).fill("500")
    page.wait_for_url(re.compile("status_code=500"))
    expect(rows).to_have_count(1)
    live = page.get_by_role("link", name="Watch live")
    expect(live).to_have_attribute("href", re.compile("ai_model=gpt-4o&status_code=500.*live=on"))
    page.go_back()
    expect(rows).to_have_count(2)
    expect(page.get_by_role("heading", name="Requests")).to_be_visible()
    expect(page.get_by_label("Status", exact=True)).to_have_value("")
    page.go_forward()
    expect(rows).to_have_count(1)
    page.reload()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Status", exact=True)).to_have_value("500")
    page.get_by_role("link", name="Watch live").click()
    expect(page.get_by_role("link", name="Stop watching")).to_be_visible()
    page.get_by_label("Status", exact=True).fill("200")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(re.compile("status_code=200.*live=on|live=on.*status_code=200"))
    expect(rows).to_have_count(1)
    watch.quiet()
    page.close()


def test_a_view_of_analytics_is_its_address(house: House, inside: BrowserContext) -> None:
    """Measure, label, time and filters; its file has the same rows, and the rows lead to the same calls."""
    page = inside.new_page()
    page.goto(f"{house.gateway.url}/console/analytics")
    page.locator("[name=measure]").select_option("cost")
    page.locator("[name=by]").select_option("model")
    page.locator("[name=range]").select_option("30d")
    page.get_by_text("More filters").click()
    page.locator("[name=is_success]").select_option("true")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("is_success=true"))
    rows = page.locator("section > .scroll tbody tr")
    expect(rows).to_have_count(2)
    expect(page.locator("[name=is_success]")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["model", "gpt-4o", "sim-fast"]
    rows.filter(has_text="gpt-4o").get_by_role("link").first.click()
    page.wait_for_url(re.compile("/console/requests"))
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.go_back()
    expect(page.locator("[name=measure]")).to_have_value("cost")
    expect(page.locator("[name=by]")).to_have_value("model")
    page.close()
