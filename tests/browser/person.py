"""People at a browser: with a mouse, with a keyboard alone, and without scripts. They find things by what they are
called."""

import re
from typing import Protocol
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

TABS = 250
"""More than any page of ours has stops."""
OPTIONS = 100


class Person(Protocol):
    """Somebody at one page."""

    @property
    def page(self) -> Page: ...

    def open(self, link: str) -> None:
        """Follow a link of that name."""

    def press(self, button: str) -> None: ...

    def write(self, label: str, text: str) -> None: ...

    def choose(self, label: str, option: str) -> None: ...

    def tick(self, label: str) -> None: ...


class Mouse:
    """Points at things, and types where he has pointed."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, link: str) -> None:
        self._menu(link)
        where = self.page.url
        _link(self.page, link).click()
        self.page.wait_for_url(lambda url: url != where)

    def press(self, button: str) -> None:
        _button(self.page, button).click()
        self.page.wait_for_load_state()

    def write(self, label: str, text: str) -> None:
        _field(self.page, label).click()
        self.page.keyboard.type(text)

    def choose(self, label: str, option: str) -> None:
        _field(self.page, label).select_option(label=option)

    def tick(self, label: str) -> None:
        _field(self.page, label).click()

    def _menu(self, link: str) -> None:
        """Open it, where there is too little room for it to stand open."""
        menu = self.page.get_by_text("Menu", exact=True)
        if not _link(self.page, link).is_visible() and menu.is_visible():
            menu.click()


class Keyboard:
    """Goes from stop to stop, and sees at each where he is."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, link: str) -> None:
        where = self.page.url
        self._reach(_link(self.page, link))
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: url != where)

    def press(self, button: str) -> None:
        self._reach(_button(self.page, button))
        self.page.keyboard.press("Enter")
        self.page.wait_for_load_state()

    def write(self, label: str, text: str) -> None:
        self._reach(_field(self.page, label))
        self.page.keyboard.type(text)

    def choose(self, label: str, option: str) -> None:
        field = _field(self.page, label)
        self._reach(field)
        self.page.keyboard.press("Home")
        for _ in range(OPTIONS):
            if field.evaluate("(each) => each.selectedOptions[0].label") == option:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"No key chooses {option}")

    def tick(self, label: str) -> None:
        self._reach(_field(self.page, label))
        self.page.keyboard.press("Space")

    def _reach(self, place: Locator) -> None:
        expect(place).to_be_visible()
        for _ in range(TABS):
            if place.evaluate("(each) => each === document.activeElement"):
                ring = place.evaluate("(each) => getComputedStyle(each).outlineStyle")
                assert ring != "none", f"where the focus is cannot be seen: {place}"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"No key leads to {place}")


def _link(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=name, exact=True).first


def _button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True).first


def _field(page: Page, label: str) -> Locator:
    return page.get_by_label(re.compile(rf"^\s*{re.escape(label)}")).first


def path_of(page: Page) -> str:
    return urlsplit(page.url).path
