"""A Chromium for the tests of this folder, and a gateway with its simulator for those of a file."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser import brought
from tests.browser.house import House, lived_in
from tests.support.gateway import Gateway, started

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for each process that runs tests; without one they are skipped, and say why."""
    if why := brought.lacking():
        pytest.skip(why)
    libraries = brought.libraries()
    environment = {**os.environ, **({"LD_LIBRARY_PATH": libraries} if libraries else {})}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=brought.chromium(), args=list(QUIET), env={**environment}, chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def gateway(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Fresh, and only where there is a browser to look at it."""
    with started(tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture(scope="module")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With everything in it that there is."""
    with lived_in(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture(scope="module")
def inside(browser: Browser, house: House) -> Iterator[BrowserContext]:
    """Signed in to both, the console and the portal."""
    context = browser.new_context(locale="en-US")
    house.enter(context)
    yield context
    context.close()
