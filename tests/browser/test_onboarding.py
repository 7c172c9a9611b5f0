"""A customer from nothing to the first call, in the console alone: with a mouse, with a keyboard, without scripts."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, expect

from tests.browser.person import Keyboard, Mouse, Person
from tests.browser.watch import Watch
from tests.support.gateway import Gateway

KEY = re.compile(r"hg_[0-9a-z]{16}_[0-9a-z]{32}_[0-9a-z]{7}")


WAYS: dict[str, tuple[Callable[[Page], Person], bool]] = {
    "mouse": (Mouse, True),
    "keyboard": (Keyboard, True),
    "no-scripts": (Mouse, False),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_customer_is_brought_in(browser: Browser, gateway: Gateway, way: str) -> None:
    """Workspace, provider, customer, key, first call; the call is in the list and its cost on the overview. The key is
    seen once."""
    kind, scripts = WAYS[way]
    name = way.title()
    context = browser.new_context(locale="en-US", java_script_enabled=scripts)
    page = context.new_page()
    watch = Watch(page, [gateway.url], refused=[400])
    person = kind(page)
    _signs_in(person, gateway)
    _makes_a_workspace(person, name)
    _stores_a_credential(person, gateway, name)
    key = _makes_a_customer_and_a_key(person, name)
    _the_key_is_not_seen_again(person, key)
    answer = gateway.chat(key, f"@{name.lower()}/sim-fast", max_tokens=50)
    assert answer.status == 200, answer.body
    gateway.record(answer.header("x-headgate-request-id"))
    _the_call_is_seen(person, name)
    watch.quiet()
    context.close()


def _signs_in(person: Person, gateway: Gateway) -> None:
    person.page.goto(f"{gateway.url}/console")
    person.write("API key", gateway.admin_key)
    person.press("Sign in")
    expect(_heading(person.page)).to_have_text("Overview")


def _makes_a_workspace(person: Person, name: str) -> None:
    person.open("Workspaces")
    person.open("New workspace")
    person.write("Name", f"Place of {name}")
    person.press("Create")
    expect(_heading(person.page)).to_contain_text(f"Place of {name}")


def _stores_a_credential(person: Person, gateway: Gateway, name: str) -> None:
    """What was wrong is said at its field, and what was typed is kept, but for the credential."""
    person.open("Integrations")
    person.open("New integration")
    person.choose("Provider", "OpenAI")
    person.write("Name", name)
    person.write("Credential", "sk-secret-of-a-provider")
    person.write("Address", "no address")
    person.press("Save")
    expect(person.page.locator("#wrong")).to_be_visible()
    expect(person.page.get_by_label("Name", exact=True)).to_have_value(name)
    person.page.get_by_label("Address").fill("")
    person.write("Credential", "sk-secret-of-a-provider")
    person.write("Address", f"{gateway.simulator}/v1")
    person.press("Save")
    expect(_heading(person.page)).to_contain_text(name)
    person.open("all but those taken away")
    person.open("A model of your own")
    person.write("Model, as the provider calls it", "sim-fast")
    person.write("Input", "1000")
    person.write("Output", "2000")
    person.press("Save")
    person.open(name)
    person.choose("Workspace", f"Place of {name}")
    person.press("Provision")
    person.press("Save")
    expect(person.page.get_by_role("cell", name=f"Place of {name}")).to_be_visible()
    assert "sk-secret" not in person.page.content()


def _makes_a_customer_and_a_key(person: Person, name: str) -> str:
    person.open("Tenants")
    person.open("New tenant")
    person.write("Name", f"Customer {name}")
    person.choose("Workspace", f"Place of {name}")
    person.write("Amount", "12.50")
    person.press("Create")
    expect(person.page.get_by_text("$0.00 of $12.50")).to_be_visible()
    person.open("New key")
    person.write("Name", f"Key of {name}")
    person.press("Create")
    expect(person.page.locator("main")).to_contain_text(KEY)
    [key] = set(KEY.findall(person.page.inner_text("main")))
    person.open("I have kept it")
    return str(key)


def _the_key_is_not_seen_again(person: Person, key: str) -> None:
    """The browser was told not to keep the page."""
    keys = person.page.url
    assert key not in person.page.content()
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        person.page.go_back()
    person.page.wait_for_url("chrome-error:**")
    person.page.goto(keys)


def _the_call_is_seen(person: Person, name: str) -> None:
    person.open("Requests")
    row = person.page.get_by_role("row").filter(has_text=f"Customer {name}")
    expect(row).to_have_count(1)
    person.open("Overview")
    expect(person.page.get_by_role("row").filter(has_text=f"Customer {name}")).to_contain_text("$0.0")


def _heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)
