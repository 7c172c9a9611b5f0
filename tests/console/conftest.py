"""A console on an administration, and browsers that use it: they keep cookies, follow redirects and send forms."""

import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from headgate.console.app import create_console
from tests.controlplane.conftest import world
from tests.support.administration import World
from tests.support.asgi import Reply, request

__all__ = ["world"]

Fields = Mapping[str, str | Sequence[str]]
REFUSALS = {("/v1/chat/completions", "412", "04"): 3, ("/v1/messages", "412", "04"): 1}


class Browser:
    """One person's. `clock` stands still unless the world moves it."""

    def __init__(self, world: World, app: Any) -> None:
        self.world = world
        self.app = app
        self.cookies: dict[str, str] = {}

    async def get(self, path: str, headers: Mapping[str, str] = {}) -> Reply:
        return await self._follow(await self.send("GET", path, headers=headers))

    async def post(self, path: str, fields: Fields | None = None, page: str | None = None) -> Reply:
        """With the secret that stands on `page`, which is the form's own address unless said otherwise."""
        form = re.search(r'name="csrf" value="([0-9a-f]+)"', (await self.get(page or path)).body.decode())
        secret = {"csrf": form[1]} if form else {}
        return await self._follow(await self.send("POST", path, {**secret, **(fields or {})}))

    async def send(
        self, method: str, path: str, fields: Fields | None = None, headers: Mapping[str, str] = {}
    ) -> Reply:
        """One request, and what comes of it."""
        self.tick()
        given = {"origin": "http://test", "cookie": "; ".join(f"{name}={text}" for name, text in self.cookies.items())}
        body = None if fields is None else urlencode(fields, doseq=True).encode()
        form = {"content-type": "application/x-www-form-urlencoded"}
        reply = await request(self.app, method, path, body, {**given, **form, **headers})
        for cookie in reply.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return reply

    def tick(self) -> None:
        """Time goes by between two requests."""
        self.world.clock.move(0.001)

    async def sign_in(self, **fields: str) -> Reply:
        return await self._follow(await self.send("POST", "/console/sign-in", fields))

    async def _follow(self, reply: Reply) -> Reply:
        while reply.status in (303, 307, 308):
            reply = await self.send("GET", reply.headers["location"])
        return reply


def text_of(reply: Reply) -> str:
    """What a reader sees, more or less."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", reply.body.decode())).split())


@pytest.fixture
def browser(world: World) -> Browser:
    """Nobody has signed in with it."""
    return Browser(world, create_console(world.services, lambda: REFUSALS, "http://test"))


@pytest.fixture
async def admin(browser: Browser) -> Browser:
    """Signed in with the organization's admin key."""
    reply = await browser.sign_in(key=browser.world.admin_key)
    assert reply.status == 200, text_of(reply)
    return browser
