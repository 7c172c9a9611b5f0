"""Texts of others that are markup, templates or endless: on every page they are texts, in a browser that would obey."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.house import SCREENS, House, lived_in
from tests.browser.watch import NARROW_PX, WIDE_PX, Watch, beyond_their_cells, too_wide
from tests.console.test_pages import HOSTILE
from tests.controlplane.test_injection import CORPORA

UNBROKEN = HOSTILE + "é" * 60 + "A" * 60
TYPED = [*CORPORA["markup"], *(each[:500] for each in CORPORA["size"]), HOSTILE]


@pytest.fixture(scope="module")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Everything in it that has a name is called this."""
    with lived_in(tmp_path_factory.mktemp("hostile"), UNBROKEN) as made:
        yield made


@pytest.fixture(scope="module")
def page(browser: Browser, house: House) -> Iterator[Page]:
    context = browser.new_context(locale="en-US", viewport={"width": NARROW_PX, "height": 800})
    house.enter(context)
    yield context.new_page()
    context.close()


@pytest.mark.timeout(240)
def test_hostile_names_are_texts_on_every_screen(house: House, page: Page) -> None:
    """No dialog, no error, nothing the security policy had to forbid, no request to anybody else, no markup of theirs
    in the page; and however long they are, a telephone's page does not scroll sideways."""
    watch = Watch(page, [house.gateway.url])
    shown, wide = 0, []
    for screen in SCREENS:
        if not house.show(page, screen):
            continue
        assert page.locator("img, script:not([src])").count() == 0, screen
        shown += "<script>alert(1)</script>" in page.content() or "&lt;script&gt;alert(1)" in page.content()
        wide += [f"{screen}: {each}" for each in (*too_wide(page), *beyond_their_cells(page))]
        watch.quiet()
    assert shown > len(SCREENS) / 2
    assert not wide, "\n".join(wide)


def test_what_is_typed_is_searched_for_and_nothing_else(house: House, page: Page) -> None:
    """In the search that runs as one types, and in the page's address."""
    watch = Watch(page, [house.gateway.url])
    for text in TYPED:
        page.goto(f"{house.gateway.url}/console/requests")
        with page.expect_response(lambda answer: "ai_model=" in answer.url) as answered:
            _model(page).fill(text)
        assert answered.value.status == 200
        expect(page.locator("#rows")).to_contain_text("No call matches")
        page.goto(f"{house.gateway.url}/console/requests?ai_model={quote(text)}")
        expect(_model(page)).to_have_value(text)
        page.goto(f"{house.gateway.url}/portal/requests?ai_model={quote(text)}")
        expect(_model(page)).to_have_value(text)
        watch.quiet()


def _model(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Model")


@pytest.mark.parametrize("screen", ["/console", "/console/tenants", "/console/keys", "/console/workspaces"])
def test_one_endless_name_leaves_the_other_columns_in_sight(house: House, page: Page, screen: str) -> None:
    """On a desk: a name without a place to break is broken somewhere, and no list scrolls sideways for it."""
    page.set_viewport_size({"width": WIDE_PX, "height": 800})
    house.show(page, screen)
    beyond = page.locator(".scroll").evaluate_all("(all) => all.map((each) => each.scrollWidth - each.clientWidth)")
    page.set_viewport_size({"width": NARROW_PX, "height": 800})
    assert beyond
    assert max(beyond) <= 0
