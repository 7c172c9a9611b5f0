"""A gateway in the test's own loop with the simulator behind it: for endpoints whose bodies are no JSON."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headgate.base.clock import Clock
from headgate.bootstrap import Gateway, open_gateway
from headgate.ledger.record import UsageRecord
from headgate.settings import Settings
from headgate.simulator import books
from headgate.storage import usage_queries
from headgate.tenancy import keys
from headgate.tenancy.founding import found
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.asgi import Reply, request
from tests.support.schema import sqlite_with_schema
from tests.support.simulator import Simulated, simulating


@dataclass(slots=True)
class Stand:
    """The simulator is the integrations `openai` and `custom` of the default workspace."""

    gateway: Gateway
    admin_key: str
    simulator: Simulated

    async def admin(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer of the control plane, which must be a success."""
        reply = await request(self.gateway.app, method, f"/v1{path}", body, {"x-portkey-api-key": self.admin_key})
        assert reply.status == 200, reply.body
        return reply.json

    async def integrate(self, slug: str, kind: str) -> None:
        """The simulator as another integration of the default workspace, with all its models."""
        integration = {
            "name": slug,
            "slug": slug,
            "ai_provider_id": kind,
            "key": "upstream",
            "configurations": {"custom_host": f"{self.simulator.url}/v1"},
        }
        await self.admin("POST", "/integrations", integration)
        await self.admin("PUT", f"/integrations/{slug}/models", {"models": [], "allow_all_models": True})
        access = {"workspaces": [{"id": "default", "enabled": True}]}
        await self.admin("PUT", f"/integrations/{slug}/workspaces", access)

    async def price(self, model: str, integration: str = "openai", **units: object) -> None:
        """In US cents, by unit."""
        config = {
            "pay_as_you_go": {
                unit: {"price": each} if isinstance(each, int | float) else each for unit, each in units.items()
            }
        }
        entry = {"slug": model, "enabled": True, "is_custom": True, "pricing_config": config}
        await self.admin("PUT", f"/integrations/{integration}/models", {"models": [entry]})

    async def key(self, workspace: str = "default", **more: object) -> str:
        """A new key of the workspace, in the clear."""
        body = {"name": "customer", "workspace_id": workspace, "scopes": ["completions.write"], **more}
        return str((await self.admin("POST", "/api-keys/workspace/service", body))["key"])

    async def call(
        self,
        key: str,
        path: str,
        body: object = None,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One call with this key."""
        sent = {"authorization": f"Bearer {key}", **(headers or {})}
        return await request(self.gateway.app, method, f"/v1{path}", body, sent)

    async def form(self, key: str, path: str, fields: Mapping[str, object], **headers: str) -> Reply:
        """The same with a form: see `form`."""
        sent = {"content-type": KIND, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.call(key, path, form(fields), headers=sent)

    async def record(self, reply: Reply) -> UsageRecord:
        """The usage record of the call that was answered so."""
        await self.gateway.usage.flush()
        found = await self.gateway.database.read(
            lambda connection: usage_queries.recent(connection, usage_queries.EVERYTHING, 10_000)
        )
        [record] = [each for each in found if each.request_id == reply.headers["x-headgate-request-id"]]
        return record

    def bills(self) -> Mapping[str, books.Bill]:
        """What the simulator billed, by the gateway's request id."""
        return books.bills(self.simulator.calls())


BOUNDARY = "form-boundary-7"
KIND = f"multipart/form-data; boundary={BOUNDARY}"


def form(fields: Mapping[str, object]) -> bytes:
    """Bytes are files, lists are fields of the same name; all else is text."""
    parts = []
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            is_file = isinstance(each, bytes)
            content = each if isinstance(each, bytes) else str(each).encode()
            filename = f'; filename="{name}.bin"' if is_file else ""
            head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'
            parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def wav(seconds: float, rate: int = 8_000) -> bytes:
    """Silence, 16 bits, one channel."""
    size = int(seconds * rate) * 2
    head = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    numbers = ((1, 2), (1, 2), (rate, 4), (rate * 2, 4), (2, 2), (16, 2))
    head += b"".join(value.to_bytes(width, "little") for value, width in numbers)
    return head + b"data" + size.to_bytes(4, "little") + bytes(size)


@asynccontextmanager
async def standing(directory: Path, clock: Clock | None = None, **settings: Any) -> AsyncIterator[Stand]:
    """The directory must be there."""
    if "database_url" not in settings:
        sqlite_with_schema(directory)
    with simulating(directory / "bills.jsonl", aliases={"omni-moderation-latest": "sim-fast"}) as simulator:
        gateway = await open_gateway(Settings(data_dir=directory, **settings), Vault([MasterKey.generate()]), clock)
        try:
            admin = keys.mint(gateway.pepper)
            assert await found(gateway.administration, admin) is not None
            stand = Stand(gateway, admin.text, simulator)
            for slug, kind in (("openai", "openai"), ("custom", "openai-compatible")):
                await stand.integrate(slug, kind)
            yield stand
        finally:
            await gateway.drain(0)
            await gateway.close()
