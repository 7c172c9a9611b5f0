"""Two whole gateways on one PostgreSQL: what one changes the other knows, and what both do at once happens once."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from headgate.base.clock import SystemClock
from headgate.base.errors import Unauthenticated
from headgate.bootstrap import Gateway, open_gateway
from headgate.dataplane.answer_cache import AnswerCache, Scope
from headgate.dataplane.answer_purges import AnswerPurges
from headgate.settings import Settings
from headgate.storage.alert_tables import event
from headgate.storage.due_rotations import DueRotations
from headgate.storage.tables import api_key, workspace
from headgate.tenancy import keys
from headgate.tenancy.founding import found
from headgate.tenancy.principal import Principal
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.asgi import Reply, request
from tests.support.databases import create_postgres_database

SOON_S = 1.0
"""Within which a change must have reached every process."""


@dataclass(slots=True)
class Two:
    """`here` makes the changes, `there` must hear of them."""

    here: Gateway
    there: Gateway
    admin_key: str

    async def call(self, gateway: Gateway, method: str, path: str, body: object = None, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await request(gateway.app, method, f"/v1{path}", body, {"x-portkey-api-key": self.admin_key, **named})

    async def ok(self, gateway: Gateway, method: str, path: str, body: object = None) -> Any:
        reply = await self.call(gateway, method, path, body)
        assert reply.status == 200, reply.body
        return reply.json


async def both(url: str, directory: Path, closing: AsyncExitStack, **settings: Any) -> Two:
    vault = Vault([MasterKey.generate()])
    made = []
    for name in ("here", "there"):
        (directory / name).mkdir()
        opened = await open_gateway(Settings(data_dir=directory / name, database_url=url, **settings), vault)
        closing.push_async_callback(opened.close)
        closing.push_async_callback(opened.drain, 0)
        made.append(opened)
    admin = keys.mint(made[0].pepper)
    assert await found(made[0].administration, admin) is not None
    return Two(made[0], made[1], admin.text)


@pytest.fixture(params=["notices", "polling"])
async def two(request: pytest.FixtureRequest, postgres_url: str, tmp_path: Path) -> AsyncIterator[Two]:
    """Once with LISTEN, and once as behind a pooler, where there is none."""
    url = await create_postgres_database(postgres_url)
    async with AsyncExitStack() as closing:
        yield await both(url, tmp_path, closing, database_pooler=request.param == "polling")


def answers_of(gateway: Gateway) -> AnswerCache:
    """What the gateway keeps in memory."""
    forget: Any = gateway.services.cached_answers._forget
    purges = forget.__self__
    assert isinstance(purges, AnswerPurges)
    return purges._answers


async def until(reached: Callable[[], Awaitable[bool]]) -> float:
    """How long it took, in seconds; no more than a second."""
    started = time.monotonic()
    async with asyncio.timeout(SOON_S):
        while not await reached():  # noqa: ASYNC110 - watched from outside, as a caller would
            await asyncio.sleep(0.002)  # why: watched from outside
    return time.monotonic() - started


async def admitted(gateway: Gateway, key: str) -> bool:
    try:
        await gateway.services.directory.authenticate(key)
    except Unauthenticated:
        return False
    return True


async def test_a_revoked_key_is_refused_everywhere_within_a_second(two: Two) -> None:
    """And a new one is let in at once; with a changed limit, the same."""
    body = {"name": "customer", "workspace_id": "default", "scopes": ["completions.write"]}
    made = await two.ok(two.here, "POST", "/api-keys/workspace/service", body)
    assert await admitted(two.there, made["key"])

    limits = {"usage_limits": [{"credit_limit": 5}]}
    await two.ok(two.here, "PUT", f"/api-keys/{made['id']}", limits)

    async def limited() -> bool:
        policy = await two.there.services.directory.authenticate(made["key"])
        return [each.cap for each in policy.allowances] == [5 * 10**9]

    await until(limited)
    await two.ok(two.here, "DELETE", f"/api-keys/{made['id']}")

    async def refused() -> bool:
        return not await admitted(two.there, made["key"])

    await until(refused)


async def test_a_purge_empties_every_cache_within_a_second(two: Two) -> None:
    """Only of what it names: others' answers stay."""
    organization = (await two.ok(two.here, "GET", "/admin/organisation"))["id"]
    workspace_id = (await two.ok(two.here, "GET", "/admin/workspaces/default"))["id"]
    answers = answers_of(two.there)
    answers.put(b"its", Scope(organization, workspace_id, None), b"answer", 60)
    answers.put(b"another", Scope(organization, "ws_other", None), b"answer", 60)
    await two.ok(two.here, "DELETE", "/admin/cache?workspace_id=default")

    async def forgotten() -> bool:
        return answers.get(b"its", 60) is None

    await until(forgotten)
    assert answers.get(b"another", 60) is not None


async def test_names_are_given_once_and_the_audit_chain_stays_one(two: Two) -> None:
    """Twenty pairs at once, on both gateways: one of each pair is made, the other hears why not."""
    bodies = [{"name": f"Space {number}", "slug": f"space-{number}"} for number in range(20)]
    replies = await asyncio.gather(
        *(two.call(gateway, "POST", "/admin/workspaces", body) for body in bodies for gateway in (two.here, two.there))
    )
    statuses = [reply.status for reply in replies]
    assert sorted(set(statuses)) == [200, 409]
    assert statuses.count(200) == 20
    assert await two.there.database.read(
        lambda c: c.execute(select(func.count()).where(workspace.c.slug.like("space-%"))).scalar_one()
    ) == 20  # fmt: skip
    organization = (await two.ok(two.here, "GET", "/admin/organisation"))["id"]
    checked = await two.there.services.audit_log.check(Principal.operator(organization))
    assert checked.report.intact


async def test_an_idempotency_key_works_on_both(two: Two) -> None:
    """Sent to both at once it is carried out once; sent again it is answered the same."""
    body = {"name": "once", "workspace_id": "default", "scopes": ["completions.write"]}
    path = "/api-keys/workspace/service"
    replies = await asyncio.gather(
        *(two.call(gateway, "POST", path, body, idempotency_key="k") for gateway in (two.here, two.there) * 4)
    )
    assert {reply.status for reply in replies} <= {200, 409}
    again = await two.call(two.there, "POST", path, body, idempotency_key="k")
    first = next(reply for reply in replies if reply.status == 200)
    assert (again.status, again.json) == (200, first.json)
    made = select(func.count()).where(api_key.c.name == "once")
    assert await two.here.database.read(lambda c: c.execute(made).scalar_one()) == 1


async def test_a_key_rotated_on_both_has_one_secret(two: Two) -> None:
    """Two rotations at once follow one another: the secret of the later one is good on both gateways."""
    body = {"name": "customer", "workspace_id": "default", "scopes": ["completions.write"]}
    made = await two.ok(two.here, "POST", "/api-keys/workspace/service", body)
    path = f"/api-keys/{made['id']}/rotate"
    replies = await asyncio.gather(*(two.call(gateway, "POST", path, {}) for gateway in (two.here, two.there)))
    good = [reply.json["key"] for reply in replies if reply.status == 200]
    assert good

    async def settled() -> bool:
        known = [[await admitted(each, text) for text in good] for each in (two.here, two.there)]
        return known[0] == known[1] and any(known[0])

    await until(settled)


async def test_what_is_due_is_told_once(two: Two) -> None:
    """Both look for rotations that are due, in the same second: each is one event."""
    body = {"name": "customer", "workspace_id": "default", "scopes": ["completions.write"]}
    made = [await two.ok(two.here, "POST", "/api-keys/workspace/service", body | {"name": f"k{n}"}) for n in range(10)]
    ids = ", ".join(f"'{each['id']}'" for each in made)
    due = text(f"UPDATE api_key SET next_rotation_at = 1 WHERE id IN ({ids})")
    await two.here.database.write(lambda c: c.execute(due))
    looking = [DueRotations(each.database, SystemClock()) for each in (two.here, two.there)]
    await asyncio.gather(*(each.tell() for each in looking))
    told = select(event.c.key_id).where(event.c.type == "key.rotation_due")
    found = await two.here.database.read(lambda c: c.execute(told).scalars().all())
    assert sorted(found) == sorted(each["id"] for each in made)
