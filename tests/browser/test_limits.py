"""A limit is reached, and everybody sees it: the program, the customer in the portal, the operator in the console."""

from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.house import portal_link, sign_in
from tests.browser.watch import Watch
from tests.support.gateway import Gateway, Provider

MODEL = "@openai/sim-fast"


def test_a_limit_is_reached_and_seen(gateway: Gateway, browser: Browser) -> None:
    """That the budget is used up stands at the customer's and at the operator's; a call from the playground is refused
    in the words that a program is told; the operator sees how many were."""
    refusal = _used_up(gateway)
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    watch = Watch(page, [gateway.url], refused=[412])
    page.goto(portal_link(gateway, "small"))
    expect(page.get_by_role("main")).to_contain_text("used up")
    page.get_by_role("link", name="Limits", exact=True).click()
    left = page.get_by_role("row").filter(has_text="this account").get_by_role("cell").nth(6)
    expect(left).to_have_text("$0.00")
    assert refusal["details"]["left"] == "$0.000000"
    _told_at_the_playground(page, refusal["message"])
    sign_in(context, gateway)
    page.goto(f"{gateway.url}/console/tenants")
    expect(page.get_by_role("row").filter(has_text="Small shop")).to_contain_text("used up")
    page.get_by_role("link", name="Small shop").click()
    expect(page.get_by_role("main")).to_contain_text("used up")
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("row").filter(has_text="412")).to_contain_text("2")
    watch.quiet()
    context.close()


def _used_up(gateway: Gateway) -> Any:
    """A tenant whose budget is what it has used; the error that its next call is answered with."""
    workspace = gateway.workspace("Small")
    gateway.integrate(Provider("openai", "openai", f"{gateway.simulator}/v1", ["sim-fast"]), [workspace])
    gateway.admin("POST", "/admin/tenants", {"name": "Small shop", "tenant_id": "small", "workspace_id": workspace})
    key = gateway.key(workspace, tenant_id="small")
    answer = gateway.chat(key, MODEL)
    assert answer.status == 200, answer.body
    spent = gateway.record(answer.header("x-headgate-request-id"))["cost"]
    budget = {"type": "cost", "credit_limit": spent / 1e9, "periodic_reset": "monthly"}
    gateway.admin("PUT", "/admin/tenants/small", {"usage_limits": budget})
    refused = gateway.chat(key, MODEL)
    assert refused.status == 412, refused.body
    return refused.json["error"]


def _told_at_the_playground(page: Page, message: str) -> None:
    """The same but for what this call would have cost."""
    page.get_by_role("link", name="Playground", exact=True).click()
    page.get_by_label("Model").select_option(MODEL)
    page.get_by_label("Message").fill("hello there")
    page.get_by_role("button", name="Send").click()
    error = page.locator("[data-error]")
    expect(error).to_contain_text(message.partition(":")[0])
    expect(error).to_contain_text(message.rpartition(" and ")[2])
