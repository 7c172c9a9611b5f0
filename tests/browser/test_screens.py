"""Every page of console and portal as people see it: with little sight or room, in the dark, without a mouse."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.brought import CACHE
from tests.browser.house import SCREENS, House, lived_in
from tests.browser.watch import NARROW_PX, WIDE_PX, Watch, barriers, too_wide

HEIGHT_PX = 900
PICTURES = CACHE / "screens"
LOOKS = [("light", WIDE_PX), ("dark", NARROW_PX)]
OTHER_LOOKS = [("dark", WIDE_PX), ("light", NARROW_PX)]


@pytest.fixture(scope="module")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with lived_in(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture(scope="module")
def inside(browser: Browser, house: House) -> Iterator[BrowserContext]:
    """Signed in to both."""
    context = browser.new_context(locale="en-US")
    house.enter(context)
    yield context
    context.close()


@pytest.fixture
def page(inside: BrowserContext) -> Iterator[Page]:
    page = inside.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_open_to_everybody(house: House, page: Page, screen: str) -> None:
    """In light on a desk and in the dark on a telephone: axe-core finds nothing serious, the page does not scroll
    sideways, and the browser has nothing to complain of."""
    seen_in(house, page, screen, LOOKS)


@pytest.mark.slow
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_open_to_everybody_in_every_look(house: House, page: Page, screen: str) -> None:
    """In the dark on a desk and in light on a telephone, too."""
    seen_in(house, page, screen, OTHER_LOOKS)


def seen_in(house: House, page: Page, screen: str, looks: list[tuple[str, int]]) -> None:
    """And what it looked like is kept, for a person to look at."""
    watch = Watch(page, [house.gateway.url])
    for colours, width in looks:
        page.emulate_media(color_scheme="dark" if colours == "dark" else "light", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": HEIGHT_PX})
        answer = page.goto(house.address(screen), wait_until="load")
        assert answer is not None
        assert answer.status == 200, page.inner_text("main")
        page.screenshot(path=picture(screen, colours, width), full_page=True)
        assert not barriers(page)
        assert not too_wide(page, width)
    watch.quiet()


def picture(screen: str, colours: str, width: int) -> Path:
    name = re.sub(r"\W+", "-", screen).strip("-")
    return PICTURES / f"{name}-{colours}-{width}.png"
