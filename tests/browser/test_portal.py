"""A customer in the portal: with a link, in a frame of the platform's site and of no other, at the playground."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.house import MANAGED, portal_link
from tests.browser.watch import Watch
from tests.support.gateway import Gateway, Provider

SLOWLY = "sim-slow"


class _Framing(BaseHTTPRequestHandler):
    """A site whose every page is a frame with what stands behind the `?`."""

    def do_GET(self) -> None:
        address = self.path.partition("?")[2]
        page = f'<!doctype html><title>A product</title><iframe title="Usage" src="{address}"></iframe>'.encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def _site() -> Iterator[str]:
    """Another origin on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Framing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def tenant(gateway: Gateway) -> str:
    """`acme`, which may all that a customer may, with a month's budget."""
    workspace = gateway.workspace("Shop")
    gateway.integrate(Provider("openai", "openai", f"{gateway.simulator}/v1", ["sim-fast", SLOWLY]), [workspace])
    budget = {"type": "cost", "credit_limit": 5, "periodic_reset": "monthly"}
    body = {"name": "Acme", "tenant_id": "acme", "workspace_id": workspace, "portal": MANAGED, "usage_limits": budget}
    gateway.admin("POST", "/admin/tenants", body)
    return "acme"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-US")
    yield context.new_page()
    context.close()


def test_a_link_opens_the_portal_once(gateway: Gateway, tenant: str, page: Page, browser: Browser) -> None:
    """For the browser that opened it, from page to page; not for the next one, which is told so in plain words."""
    watch = Watch(page, [gateway.url])
    link = portal_link(gateway, tenant)
    page.goto(link)
    assert "token" not in page.url
    expect(page.locator(".brand")).to_have_text("Acme")
    page.get_by_role("link", name="Limits").click()
    expect(page.get_by_role("row").filter(has_text="this account")).to_contain_text("$5.00")
    watch.quiet()
    other = browser.new_context(locale="en-US")
    stranger = other.new_page()
    answer = stranger.goto(link)
    assert answer is not None
    assert answer.status in (401, 403)
    expect(stranger.locator("main")).to_contain_text("link")
    other.close()


def test_the_portal_is_in_a_frame_of_an_allowed_site(gateway: Gateway, tenant: str, page: Page) -> None:
    """And works there: pages, forms, scripts."""
    with _site() as site:
        gateway.admin("PUT", "/admin/organisation", {"portal_origins": [site]})
        watch = Watch(page, [gateway.url, site])
        page.goto(f"{site}/?{portal_link(gateway, tenant)}")
        frame = page.frame_locator("iframe")
        expect(frame.locator(".brand")).to_have_text("Acme")
        frame.get_by_text("Menu", exact=True).click()
        frame.get_by_role("link", name="API keys").click()
        frame.get_by_role("link", name="New key").click()
        frame.get_by_label("Name").fill("made in a frame")
        frame.get_by_role("button", name="Create").click()
        expect(frame.locator(".secret")).to_contain_text("hg_")
    watch.seen = [each for each in watch.seen if "/favicon.ico" not in each]
    watch.quiet()


def test_no_other_site_has_it_in_a_frame(gateway: Gateway, tenant: str, page: Page) -> None:
    """The browser refuses, because the answer says so."""
    with _site() as allowed, _site() as other:
        gateway.admin("PUT", "/admin/organisation", {"portal_origins": [allowed]})
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.goto(f"{other}/?{portal_link(gateway, tenant)}")
        expect(page.frame_locator("iframe").locator(".brand")).to_have_count(0)
    assert any("frame-ancestors" in each for each in told), told


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_the_playground_answers_and_says_what_it_cost(
    gateway: Gateway, tenant: str, browser: Browser, scripts: bool
) -> None:
    """With scripts as the answer comes, without them in one piece; the cost is that of the record."""
    context = browser.new_context(locale="en-US", java_script_enabled=scripts)
    page = context.new_page()
    watch = Watch(page, [gateway.url])
    page.goto(portal_link(gateway, tenant))
    page.get_by_role("link", name="Playground", exact=True).click()
    page.get_by_label("Model").select_option("@openai/sim-slow")
    page.get_by_label("Message").fill("hello there")
    page.get_by_role("button", name="Send").click()
    text, cost = page.locator("[data-text]"), page.locator("[data-settled]")
    if scripts:
        expect(text).not_to_be_empty()
        assert cost.is_hidden(), "the answer came in one piece"
    expect(cost).to_contain_text("Cost: $")
    record = gateway.record_with("stream", scripts)
    assert f"{record['usage']['output']} out. Cost: ${record['cost'] / 1e9:.6f}".rstrip("0") in cost.inner_text()
    watch.quiet()
    context.close()


def test_an_answer_can_be_stopped(gateway: Gateway, tenant: str, page: Page) -> None:
    """What has come stays on the page, and one can ask again."""
    watch = Watch(page, [gateway.url])
    page.goto(portal_link(gateway, tenant))
    page.goto(f"{gateway.url}/portal/playground")
    page.get_by_label("Model").select_option("@openai/sim-slow")
    page.get_by_label("Message").fill("hello there")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-text]")).not_to_be_empty()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    expect(page.locator("[data-text]")).not_to_be_empty()
    expect(page.locator("[data-error]")).to_be_hidden()
    watch.quiet()
