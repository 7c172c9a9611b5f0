"""Forms under the hands of somebody who is in a hurry, or wrong."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.house import House
from tests.browser.watch import Watch


@pytest.fixture
def page(inside: BrowserContext) -> Iterator[Page]:
    page = inside.new_page()
    yield page
    page.close()


def test_a_button_that_is_pressed_twice_sends_once(house: House, page: Page) -> None:
    """However long the answer takes: there is one key, and it is the one that is shown."""
    page.goto(f"{house.gateway.url}/console/keys/new")
    held: list[Route] = []
    page.route("**/console/keys/new", lambda route: held.append(route))
    page.get_by_label("Name").fill("pressed twice")
    create = page.get_by_role("button", name="Create")
    create.scroll_into_view_if_needed()
    box = create.bounding_box()
    assert box is not None
    with page.expect_request("**/console/keys/new"):
        page.mouse.click(box["x"] + 5, box["y"] + 5)
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    held[0].continue_()
    expect(page.locator(".secret")).to_contain_text("hg_")
    assert [each.request.method for each in held] == ["POST"]


def test_another_time_zone_leaves_the_days(house: House, page: Page) -> None:
    """Typed, and sent with Enter."""
    page.goto(f"{house.gateway.url}/console?range=30d")
    zone = page.get_by_label("Time zone")
    zone.fill("Asia/Tokyo")
    zone.press("Enter")
    expect(page).to_have_url(f"{house.gateway.url}/console?range=30d&tz=Asia%2FTokyo")
    expect(page.get_by_role("button", name="30d")).to_have_attribute("aria-pressed", "true")


def test_what_was_wrong_stands_once_and_the_cursor_beside_it(house: House, page: Page) -> None:
    """In words that do not need the names of the interface for programs."""
    watch = Watch(page, [house.gateway.url], refused=[400])
    page.goto(f"{house.gateway.url}/console/tenants/new")
    page.get_by_label("Name").first.fill("Pro")
    amount = page.get_by_label("Amount").first
    amount.fill("1,5")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_have_text("Must be a number.")
    expect(amount).to_be_focused()
    expect(amount).to_have_value("1,5")
    expect(amount).to_be_in_viewport()
    watch.quiet()


def test_a_search_as_one_types_says_what_it_cannot_find(house: House, page: Page) -> None:
    """In the place of what it had found before."""
    watch = Watch(page, [house.gateway.url])
    for of in ("console", "portal"):
        page.goto(f"{house.gateway.url}/{of}/requests")
        status = page.get_by_label("Status", exact=True)
        status.fill("5xx")
        expect(page.locator("#rows")).to_have_text("Status: Must be a number.")
        status.fill("200")
        expect(page.locator("#rows tbody tr").first).to_be_visible()
    watch.quiet()
