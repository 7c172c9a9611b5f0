"""What a page may never do, whatever stands on it, and what those find who see little or have little room."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Page, Request

from tests.browser.brought import AXE

NARROW_PX = 360
WIDE_PX = 1280
_VIOLATED = """document.addEventListener("securitypolicyviolation",
  (event) => console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`));"""
_BROKEN = """async () => (await axe.run({ resultTypes: ["violations"] })).violations
  .filter((each) => ["serious", "critical"].includes(each.impact))
  .flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.html} ${node.failureSummary}`))"""
_WIDER = """(width) => document.documentElement.scrollWidth <= width ? [] : [...document.querySelectorAll("body *")]
  .filter((each) => each.getBoundingClientRect().right > width + 1 && !each.closest(".scroll"))
  .map((each) => each.outerHTML.slice(0, 120))"""

_BEYOND = """() => [...document.querySelectorAll("td, th")].filter((each) => each.scrollWidth > each.clientWidth + 1)
  .map((each) => each.innerText.slice(0, 120))"""
_SEEN = """() => [...document.querySelectorAll("[hidden]")].filter((each) => each.getClientRects().length)
  .map((each) => each.outerHTML.slice(0, 120))"""


@dataclass
class Watch:
    """Of one page, from before its first request. `seen`: dialogs, errors of scripts and of the console, what the
    security policy forbids, and requests to other origins. `refused`: statuses that the test means to get."""

    page: Page
    origins: Sequence[str]
    refused: Sequence[int] = ()
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(_VIOLATED)
        self.page.on("dialog", self._dialog)
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.seen.append(f"script: {error}"))
        self.page.on("request", self._asked)

    def quiet(self) -> None:
        """Nothing was seen until now."""
        assert not self.seen, f"{self.page.url}: {self.seen}"

    def _dialog(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _told(self, message: ConsoleMessage) -> None:
        meant = any(f"responded with a status of {status}" in message.text for status in self.refused)
        if message.type in ("error", "warning") and not meant:
            self.seen.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        url = urlsplit(request.url)
        if f"{url.scheme}://{url.netloc}" not in self.origins:
            self.seen.append(f"asked elsewhere: {request.url}")


def barriers(page: Page) -> list[str]:
    """What axe-core calls serious or critical for people who cannot see, or use no mouse."""
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(_BROKEN)
    return found


def too_wide(page: Page, width: int = NARROW_PX) -> list[str]:
    """What makes the page scroll sideways; tables may, within themselves."""
    found: list[str] = page.evaluate(_WIDER, width)
    return found


def beyond_their_cells(page: Page) -> list[str]:
    """Texts that reach into the next column."""
    found: list[str] = page.evaluate(_BEYOND)
    return found


def not_hidden(page: Page) -> list[str]:
    """What says of itself that it is hidden, and is seen."""
    found: list[str] = page.evaluate(_SEEN)
    return found
