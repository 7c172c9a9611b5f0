"""A second factor that the organization requires, set up on the way in: with a password, an app, and nothing else."""

import base64
import re

from playwright.sync_api import Browser, Page, expect

from headgate.base.clock import NANOS_PER_SECOND, SystemClock
from headgate.tenancy.second_factor import code_at
from tests.browser.house import sign_in
from tests.browser.watch import NARROW_PX, Watch, barriers, too_wide
from tests.support.gateway import Gateway
from tests.support.http import call

EMAIL, PASSWORD = "ann@example.com", "a password of ours"


def _user(gateway: Gateway) -> None:
    """Invited, and in."""
    invite = gateway.admin("POST", "/admin/users/invites", {"email": EMAIL, "role": "admin"})
    accepted = {"token": invite["invite_link"].partition("#token=")[2], "first_name": "Ann", "password": PASSWORD}
    answer = call("POST", f"{gateway.url}/v1/admin/users/invites/accept", accepted)
    assert answer.status == 200, answer.body


def _enters(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/console/sign-in?next=/console/audit")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").last.click()


def test_who_has_none_is_led_to_one(browser: Browser, gateway: Gateway) -> None:
    """The administrator ticks a box; the next sign-in shows a secret, takes its code, shows the recovery codes, and
    goes where it was meant to go. The page is open to everybody, on a telephone too."""
    _user(gateway)
    admin = browser.new_context(locale="en-US")
    sign_in(admin, gateway)
    settings = admin.new_page()
    settings.goto(f"{gateway.url}/console/settings")
    settings.get_by_label("Require a second factor").check()
    settings.get_by_role("button", name="Save").click()
    expect(settings.get_by_label("Require a second factor")).to_be_checked()
    admin.close()
    person = browser.new_context(locale="en-US", viewport={"width": NARROW_PX, "height": 800})
    page = person.new_page()
    watch = Watch(page, [gateway.url])
    _enters(page, gateway)
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up your second factor")
    expect(page.get_by_role("img", name=re.compile("QR code"))).to_be_visible()
    assert not barriers(page)
    assert not too_wide(page)
    secret = page.locator(".secret code").inner_text()
    step = SystemClock().now() // (30 * NANOS_PER_SECOND)
    page.get_by_label("Code that the app shows now").fill(code_at(base64.b32decode(secret), step))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    recovery = page.locator(".secret code").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit log")
    page.get_by_role("button", name="Sign out").click()
    _enters(page, gateway)
    page.get_by_label(re.compile("^Code that your app shows now")).fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit log")
    watch.quiet()
    person.close()
