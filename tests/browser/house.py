"""A gateway that is lived in: everything that the tests of the console's pages furnish, in a process of its own."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Error, Page

from headgate.base.clock import SystemClock
from headgate.console.pages import PAGES
from headgate.console.portal.app import PAGES as PORTAL_PAGES
from headgate.embed import Headgate
from headgate.storage.stores import SqlTransactions
from headgate.tenancy import keys
from headgate.tenancy.directory import Directory
from headgate.tenancy.principal import Principal
from tests.console.furnished import QUERIES, furnished
from tests.support.administration import MovedClock, World
from tests.support.gateway import Gateway, simulated_providers, started

DOORS = ("/console/sign-in", "/console/invite", "/console/password", "/console/password/new", "/portal/sign-in")
SCREENS = (
    *DOORS,
    *(f"/console{path}" for method, path, _, _ in PAGES if method == "GET"),
    *(f"/portal{path}" for method, path, _, _ in PORTAL_PAGES if method == "GET"),
)
"""Every page there is to look at, as it stands in the tables of the pages."""
MODEL = "@openai/sim-fast"
MANAGED = {"keys": "manage", "playground": True, "request_log": True}


@dataclass(frozen=True, slots=True)
class House:
    """`values`: what stands in the paths of pages, by its name there."""

    gateway: Gateway
    values: Mapping[str, str]

    def address(self, screen: str) -> str:
        path = screen.removeprefix("/console")
        return self.gateway.url + screen.format(**self.values) + QUERIES.get(path, "")

    def show(self, page: Page, screen: str) -> bool:
        """Whether it is a page; a file that is to be kept is not."""
        try:
            answer = page.goto(self.address(screen))
        except Error as error:
            if "Download is starting" not in error.message:
                raise
            return False
        assert answer is not None
        assert answer.status == 200, f"{screen}: {page.inner_text('main')}"
        return True

    def enter(self, context: BrowserContext) -> None:
        """Into the console as its administrator, and into the portal as a customer."""
        sign_in(context, self.gateway)
        page = context.new_page()
        answer = page.goto(portal_link(self.gateway, "acme"))
        assert answer is not None
        assert answer.status == 200
        page.close()


def portal_link(gateway: Gateway, tenant: str) -> str:
    """Opens the portal once."""
    asked = {"name": "Ada", "role": "manager"}
    return str(gateway.admin("POST", f"/admin/tenants/{tenant}/portal-sessions", asked)["url"])


def sign_in(context: BrowserContext, gateway: Gateway) -> None:
    page = context.new_page()
    page.goto(f"{gateway.url}/console/sign-in")
    page.get_by_label("API key").fill(gateway.admin_key)
    page.get_by_role("button", name="Sign in").first.click()
    page.get_by_role("heading", name="Overview").wait_for()
    page.close()


@contextmanager
def lived_in(directory: Path, name: str = "Acme") -> Iterator[House]:
    """Everything in it that has a name has this one. Calls have been made, of which some were refused."""
    admin_key = keys.mint(os.urandom(keys.PEPPER_BYTES)).text
    with ThreadPoolExecutor(1) as beside:  # this thread's loop is the browser's
        values = beside.submit(asyncio.run, _furnished(directory / "data", admin_key, name)).result()
    with started(directory, {"HEADGATE_ADMIN_KEY": admin_key}) as gateway:
        gateway.integrate(simulated_providers(gateway.simulator)[0], ["place"])
        for slug in ("openai", "ours"):  # not the whole catalog on every page
            gateway.admin("PUT", f"/integrations/{slug}/models", {"allow_all_models": False, "models": []})
        gateway.admin("PUT", "/admin/tenants/acme", {"portal": MANAGED})
        _called(gateway, name)
        yield House(gateway, values)


async def _furnished(data_dir: Path, admin_key: str, name: str) -> dict[str, str]:
    headgate = Headgate(data_dir=data_dir, drain_timeout_s=0, admin_key=admin_key)
    async with headgate.running():
        gateway = headgate.gateway
        directory = gateway.services.directory
        assert isinstance(directory, Directory)
        world = World(
            gateway.database,
            SqlTransactions(gateway.database),
            MovedClock(SystemClock().now()),
            gateway.administration,
            gateway.services,
            directory,
            Principal.operator(""),
            admin_key,
            gateway.app,
        )
        organization = (await world.ok("GET", "/v1/admin/organisation"))["id"]
        world.root = Principal.operator(organization)
        return await furnished(world, name)


def _called(gateway: Gateway, name: str) -> None:
    budget = {"type": "cost", "credit_limit": 0.004, "periodic_reset": "monthly"}
    key = gateway.key("place", name=name, tenant_id="acme", usage_limits=[budget])
    for number in range(3):
        gateway.chat(key, MODEL, text=f"{name} {number}", user=name, max_tokens=50)
    gateway.chat(key, MODEL, text="much", max_tokens=100_000)
