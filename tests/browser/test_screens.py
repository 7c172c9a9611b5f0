"""Every page of console and portal as people see it: with little sight or room, in the dark, without a mouse."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.brought import CACHE
from tests.browser.house import SCREENS, House
from tests.browser.watch import NARROW_PX, WIDE_PX, Watch, barriers, beyond_their_cells, not_hidden, too_wide

Colours = Literal["light", "dark"]
COLOURS: tuple[Colours, ...] = ("light", "dark")
HEIGHT_PX = 900
PICTURES = CACHE / "screens"


@pytest.fixture
def page(inside: BrowserContext) -> Iterator[Page]:
    page = inside.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_open_to_everybody(house: House, page: Page, screen: str) -> None:
    """In light on a desk and in the dark on a telephone: axe-core finds nothing serious, the page does not scroll
    sideways, and the browser has nothing to complain of."""
    watch = Watch(page, [house.gateway.url])
    looked_at(house, page, screen, "light", WIDE_PX)
    looked_at(house, page, screen, "dark", NARROW_PX)
    watch.quiet()


@pytest.mark.slow
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_open_to_everybody_in_every_look(house: House, page: Page, screen: str) -> None:
    """In both colours at both widths; and each look is kept as a picture, for a person to look at."""
    watch = Watch(page, [house.gateway.url])
    for colours, width in itertools.product(COLOURS, (WIDE_PX, NARROW_PX)):
        if looked_at(house, page, screen, colours, width):
            page.screenshot(path=picture(screen, colours, width), full_page=True)
    watch.quiet()


def looked_at(house: House, page: Page, screen: str, colours: Colours, width: int) -> bool:
    """Whether it is a page, not a file."""
    page.emulate_media(color_scheme=colours, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": HEIGHT_PX})
    if not house.show(page, screen):
        return False
    assert not barriers(page)
    assert not too_wide(page, width)
    assert not beyond_their_cells(page)
    assert not not_hidden(page)
    return True


def picture(screen: str, colours: str, width: int) -> Path:
    name = re.sub(r"\W+", "-", screen).strip("-")
    return PICTURES / f"{name}-{colours}-{width}.png"
