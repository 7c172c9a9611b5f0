"""A whole gateway with two customers, its simulator, and browsers that look at it."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headgate.embed import Headgate
from headgate.tenancy import keys
from tests.console.conftest import Browser
from tests.support.asgi import Reply
from tests.support.simulator import simulating

ADMIN = keys.mint(os.urandom(keys.PEPPER_BYTES)).text
PRICES = {"request_token": {"price": 0.0}, "response_token": {"price": 0.01}}
HELLO = {"model": "@openai/sim-fast", "max_tokens": 50, "messages": [{"role": "user", "content": "hello there"}]}
RATE = {"type": "requests", "unit": "rpm", "value": 60}
MANAGED = {"keys": "manage", "playground": True, "request_log": True}


class Guest(Browser):
    """Somebody's browser at a running gateway."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.cookies = {}

    def tick(self) -> None:
        """Time goes by itself."""

    async def enter(self, url: str) -> Reply:
        """With a link."""
        return await self.get(url.removeprefix("http://test"))

    async def with_key(self, key: str) -> Reply:
        return await self._follow(await self.send("POST", "/portal/sign-in", {"key": key}))


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer: its id, a key with all scopes a tenant's key can have, and that key's id."""

    id: str
    slug: str
    key: str
    key_id: str


@dataclass(slots=True)
class Place:
    """`acme` and `other` are customers in one workspace; each has made a call."""

    headgate: Headgate
    acme: Tenant
    other: Tenant

    async def admin(self, method: str, path: str, body: object = None) -> Any:
        return await admin(self.headgate, method, path, body)

    def guest(self) -> Guest:
        return Guest(self.headgate.gateway.app)

    async def link(self, tenant: str = "acme", **fields: object) -> str:
        return str((await self.admin("POST", f"/admin/tenants/{tenant}/portal-sessions", fields))["url"])

    async def visiting(self, tenant: str = "acme", **fields: object) -> Guest:
        """Inside, with a link."""
        guest = self.guest()
        reply = await guest.enter(await self.link(tenant, **fields))
        assert reply.status == 200, reply.body
        return guest

    async def call(self, key: str, **more: object) -> str:
        """A call to a model: its request id."""
        async with self.headgate.call("POST", "/v1/chat/completions", HELLO | more, key=key) as answer:
            told = await answer.read()
        assert answer.status == 200, told
        await self.headgate.gateway.usage.flush()
        return answer.headers["x-headgate-request-id"]


async def admin(headgate: Headgate, method: str, path: str, body: object = None) -> Any:
    async with headgate.call(method, f"/v1{path}", body, key=ADMIN) as answer:
        told = await answer.json()
    assert answer.status == 200, told
    return told


async def customer(headgate: Headgate, slug: str, **fields: object) -> Tenant:
    tenant = {"tenant_id": slug, "name": f"Name of {slug}", "workspace_id": "default", "portal": MANAGED, **fields}
    made = await admin(headgate, "POST", "/admin/tenants", tenant)
    scopes = ["completions.write", "models.list", "analytics.view", "logs.list", "logs.view"]
    body = {"name": f"key of {slug}", "tenant_id": slug, "scopes": scopes}
    key = await admin(headgate, "POST", "/api-keys/workspace/service", body)
    return Tenant(made["id"], slug, key["key"], key["id"])


async def _founded(directory: Path, simulator: str) -> tuple[Tenant, Tenant]:
    """A gateway that has been set up, and closed."""
    headgate = Headgate(data_dir=directory, drain_timeout_s=0, admin_key=ADMIN)
    async with headgate.running():
        integration = {"name": "openai", "slug": "openai", "ai_provider_id": "openai", "key": "upstream"}
        where = {"configurations": {"custom_host": simulator + "/v1"}}
        await admin(headgate, "POST", "/integrations", integration | where)
        models = [
            {"slug": name, "enabled": True, "is_custom": True, "pricing_config": {"pay_as_you_go": PRICES}}
            for name in ("sim-fast", "sim-slow")
        ]
        await admin(headgate, "PUT", "/integrations/openai/models", {"models": models, "allow_all_models": False})
        access = {"workspaces": [{"id": "default", "enabled": True}]}
        await admin(headgate, "PUT", "/integrations/openai/workspaces", access)
        month = {"credit_limit": 20, "periodic_reset": "monthly"}
        acme = await customer(headgate, "acme", usage_limits=month, rate_limits=[RATE])
        other = await customer(headgate, "other", allowed_models=["@openai/sim-slow"])
        place = Place(headgate, acme, other)
        await place.call(acme.key)
        await place.call(other.key, model="@openai/sim-slow")
    return acme, other


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, tuple[Tenant, Tenant]]]:
    """A data directory to copy, with the simulator as its provider."""
    directory = tmp_path_factory.mktemp("portal")
    with simulating(directory / "simulator.journal") as simulated:
        tenants = asyncio.run(_founded(directory / "data", simulated.url))
        yield directory / "data", tenants


@pytest.fixture
async def place(tmp_path: Path, template: tuple[Path, tuple[Tenant, Tenant]]) -> AsyncIterator[Place]:
    """Running; each test has its own."""
    data, (acme, other) = template
    headgate = Headgate(data_dir=shutil.copytree(data, tmp_path / "data"), drain_timeout_s=0, url="http://test")
    async with headgate.running():
        yield Place(headgate, acme, other)
