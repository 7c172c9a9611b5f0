"""Console and portal without scripts: every page is read, and a form of each kind is sent."""

import re
from collections.abc import Iterator
from itertools import count
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from headgate.console.pages import PAGES
from headgate.console.portal.app import PAGES as PORTAL_PAGES
from headgate.console.portal.visit import HOME as PORTAL
from headgate.console.visit import HOME as CONSOLE
from tests.browser.house import SCREENS, House, lived_in
from tests.browser.watch import Watch

FORMS = (
    *(CONSOLE + path for method, path, _, _ in PAGES if method == "POST"),
    *(PORTAL + path for method, path, _, _ in PORTAL_PAGES if method == "POST"),
)
ENDS = ("/(remove|revoke|cancel|end)$", "/view$", "/sign-out$")
"""What takes something away is sent after all else, then what leads elsewhere, and then what leads out."""
NOT_SHOWN = re.compile(r"/account/|/second-factor$")
"""What only users with a password have on their pages."""
MEANT = (400, 401, 404, 409, 412)
"""Statuses of a form that lacks something, of what is in use or gone, and of a playground without budget."""
_numbers = count(1)


@pytest.fixture(scope="module")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Everybody in it has a budget."""
    with lived_in(tmp_path_factory.mktemp("house")) as made:
        budget = {"usage_limits": [{"type": "cost", "credit_limit": 100, "periodic_reset": "monthly"}]}
        for path in ("organisation", "workspaces/place", "tenants/acme"):
            made.gateway.admin("PUT", f"/admin/{path}", budget)
        made.gateway.admin("PUT", f"/api-keys/{made.values['key']}", budget)
        yield made


@pytest.fixture(scope="module")
def inside(browser: Browser, house: House) -> Iterator[BrowserContext]:
    """Signed in to both."""
    context = browser.new_context(locale="en-US", java_script_enabled=False)
    house.enter(context)
    yield context
    context.close()


@pytest.mark.slow
def test_every_page_is_read_without_scripts(house: House, inside: BrowserContext) -> None:
    """It has its heading and says nothing of an error; what a script would draw or fetch is there as a table or a
    link."""
    page = inside.new_page()
    watch = Watch(page, [house.gateway.url])
    for screen in SCREENS:
        if not house.show(page, screen):
            continue
        expect(page.locator("h1").first, screen).to_be_visible()
        for drawn in page.locator(".chart:has([data-chart])").all():
            drawn.get_by_text("The figures").click()
            expect(drawn.get_by_role("table"), screen).to_be_visible()
        for fetched in page.locator("[hx-trigger='load']").all():
            expect(fetched.get_by_role("link").first, screen).to_be_visible()
    watch.quiet()
    page.close()


@pytest.mark.slow
def test_a_form_of_each_kind_is_sent_without_scripts(house: House, inside: BrowserContext) -> None:
    """With what stands in it, or what it needs at least: it comes to a page of ours, and is never refused as another
    session's."""
    page = inside.new_page()
    found: dict[str, str] = {}
    for screen in SCREENS:
        if house.show(page, screen):
            for form in page.locator("form[method=post]").all():
                found.setdefault(_kind(form, page), screen)
    unseen = {form for form in FORMS if form not in found and not NOT_SHOWN.search(form)}
    assert not unseen
    told = {}
    for kind, screen in sorted(found.items(), key=lambda each: (_rank(each[0]), each[0])):
        house.show(page, screen)
        forms = [each for each in page.locator("form[method=post]").all() if _kind(each, page) == kind]
        if forms:  # what was sent before may have taken it away
            told[kind] = _sent(page, forms[0])
    assert not {kind: status for kind, status in told.items() if status not in (200, *MEANT)}
    assert sum(status == 200 for status in told.values()) >= 40, told
    page.close()


def _kind(form: Locator, page: Page) -> str:
    """The path it goes to, as it stands in the tables of the pages."""
    path = urlsplit(form.get_attribute("action") or page.url).path
    return next((each for each in FORMS if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path)), path)


def _rank(kind: str) -> int:
    return next((rank for rank, end in enumerate(ENDS, 1) if re.search(end, kind)), 0)


def _sent(page: Page, form: Locator) -> int:
    """The status of what comes of it."""
    for closed in form.locator("xpath=ancestor-or-self::*/ancestor::details[not(@open)]").all():
        closed.locator("summary").first.click()
    for field in form.locator("input[required], textarea[required]").all():
        if not field.input_value():
            field.fill(_text(field.get_attribute("type") or "text"))
    with page.expect_navigation() as navigation:
        form.locator("button").first.click()
    answer = navigation.value
    assert answer is not None
    expect(page.locator("h1").first).to_be_visible()
    assert "another session" not in page.inner_text("main")
    return answer.status


def _text(kind: str) -> str:
    number = next(_numbers)
    return {
        "email": f"somebody-{number}@example.com",
        "password": "a password of somebody",
        "url": "https://hooks.example.com/in",
    }.get(kind, f"Something {number}")


def test_the_tables_name_all_forms() -> None:
    """The walk knows a form by the table it stands in; there is more than one."""
    assert len(FORMS) == len(set(FORMS)) > 40
