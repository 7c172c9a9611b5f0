"""Events on their way to real receivers on loopback."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from headgate.alerts.dispatcher import LEASE_S
from headgate.storage.alert_tables import alert_told, allowance_use, delivery, event
from headgate.storage.database import Database
from headgate.upstream.guard import Guard
from tests.support.alerting import QUICK, Alerting, alerting
from tests.support.raw_server import Peer
from tests.support.receiver import Message, Receiver, answer

DAY_S = 86_400
BUDGET = {"credit_limit": 100}


async def test_an_alert_arrives_signed(alerts: Alerting) -> None:
    """One message, under the event's id, that verifies with the secret that was shown at creation, and no other."""
    async with Receiver() as receiver:
        webhook = await alerts.webhook(receiver.url + "?from=headgate")
        await alerts.spend(await alerts.key(BUDGET), "85")
        await alerts.deliver()
        await alerts.deliver()
    (message,) = receiver.messages
    (told,) = await alerts.told()
    assert message.json == told
    assert (message.id, message.path) == (told["id"], "/hooks?from=headgate")
    assert message.headers["webhook-timestamp"] == str(alerts.clock.now() // 10**9)
    assert message.headers["content-type"] == "application/json"
    assert message.signed_with(webhook["secret"])
    assert not message.signed_with("whsec_" + "A" * 44)


async def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(alerts: Alerting) -> None:
    """The receiver changes over within a day; after it, the old secret is worth nothing."""
    async with Receiver() as receiver:
        webhook = await alerts.webhook(receiver.url)
        rotated = await alerts.world.ok("PUT", f"/v1/admin/webhooks/{webhook['id']}", {"rotate_secret": True})
        assert rotated["secret"] != webhook["secret"]
        verified = []
        for pause in (0, DAY_S - 60, 120):
            alerts.clock.move(pause)
            await alerts.world.ok("POST", f"/v1/admin/webhooks/{webhook['id']}/test")
            await alerts.deliver()
            message = receiver.messages[-1]
            verified.append([message.signed_with(secret) for secret in (webhook["secret"], rotated["secret"])])
    assert verified == [[True, True], [True, True], [False, True]]


@pytest.mark.parametrize("status", [500, 503, 404, 302, 401])
async def test_a_failure_is_tried_again_until_it_arrives(alerts: Alerting, status: int) -> None:
    """Same id, same body, a fresh timestamp; the log keeps both attempts, with what was answered."""
    async with Receiver(answer(status, b"not now", b"location: http://127.0.0.1:1/\r\n")) as receiver:
        webhook = await alerts.webhook(receiver.url)
        await alerts.spend(await alerts.key(BUDGET), "85")
        await alerts.deliver()
        alerts.clock.move(4.9)
        await alerts.deliver()
        assert len(receiver.messages) == 1
        receiver.answering = answer(200, b"thanks")
        alerts.clock.move(0.2)
        await alerts.deliver()
    first, second = receiver.messages
    assert (first.id, first.body) == (second.id, second.body)
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    (found,) = await alerts.deliveries(webhook)
    assert found["status"] == "delivered"
    assert [(each["status"], each["answer"]) for each in found["attempts"]] == [(status, "not now"), (200, "thanks")]
    assert [bool(each["error"]) for each in found["attempts"]] == [True, False]


async def test_a_redirect_is_not_followed(alerts: Alerting) -> None:
    """Not to a metadata address, and not to another receiver either."""
    async with Receiver() as elsewhere, Receiver() as receiver:
        await alerts.webhook(receiver.url)
        key = await alerts.key(BUDGET, {"type": "tokens", "credit_limit": 10})
        for location in ("http://169.254.169.254/latest/meta-data/", elsewhere.url):
            receiver.answering = answer(307, b"", b"location: %b\r\n" % location.encode())
            await alerts.spend(key, "0" if receiver.messages else "85", tokens=8 if receiver.messages else 0)
            await alerts.deliver()
    assert len(receiver.messages) == 2
    assert elsewhere.messages == []


async def test_an_address_that_turns_private_is_not_spoken_to(quick_database: Database) -> None:
    """A name that was public when it was written down and then resolves to the metadata service, or to loopback."""

    async def resolve(host: str) -> list[str]:
        return [{"rebound.test": "169.254.169.254", "inside.test": "127.0.0.1"}[host]]

    async with (
        Receiver() as receiver,
        alerting(quick_database, guard=Guard(allow_private=False, resolve=resolve)) as alerts,
    ):
        port = receiver.url.rsplit(":", 1)[1]
        webhooks = [await alerts.webhook(f"http://{host}:{port}") for host in ("rebound.test", "inside.test")]
        await alerts.spend(await alerts.key(BUDGET), "85")
        await alerts.deliver()
        errors = [(await alerts.deliveries(each))[0]["attempts"][0]["error"] for each in webhooks]
        assert [error.partition(":")[0] for error in errors] == ["blocked_address", "blocked_address"]
    assert receiver.messages == []


async def hang(peer: Peer, message: Message) -> None:
    await peer.gone()


async def hang_in_the_answer(peer: Peer, message: Message) -> None:
    await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
    await peer.gone()


async def drip(peer: Peer, message: Message) -> None:
    """A byte of the head now and then, faster than the pause between two that is allowed."""
    for byte in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1_000:
        await peer.send(bytes((byte,)))
        await asyncio.sleep(0.05)  # why: slowness is what this receiver is about


async def flood(peer: Peer, message: Message) -> None:
    """A gigabyte, as fast as it is taken."""
    await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")
    for _ in range(1024):
        await peer.send(b"x" * 1_048_576)


async def garbage(peer: Peer, message: Message) -> None:
    await peer.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    await peer.gone()


@pytest.mark.parametrize(
    ("answering", "arrived"),
    [(hang, False), (drip, False), (garbage, False), (hang_in_the_answer, True), (flood, True)],
    ids=["hangs", "drips", "garbage", "hangs in its answer", "a gigabyte"],
)
async def test_a_receiver_that_misbehaves_is_left_in_time(alerts: Alerting, answering: Any, arrived: bool) -> None:
    """An attempt ends within its deadlines, and keeps a kilobyte of the answer at most; the status decides."""
    async with Receiver(answering) as receiver:
        webhook = await alerts.webhook(receiver.url)
        await alerts.spend(await alerts.key(BUDGET), "85")
        async with asyncio.timeout(QUICK.total_s + 3):
            await alerts.deliver()
    (found,) = await alerts.deliveries(webhook)
    (attempt,) = found["attempts"]
    assert found["status"] == ("delivered" if arrived else "pending")
    assert len(attempt["answer"]) <= 1024


async def test_a_receiver_that_hangs_delays_nobody_else(alerts: Alerting) -> None:
    """While one receiver holds its message, another gets all of its own."""
    held, release = asyncio.Event(), asyncio.Event()

    async def hold(peer: Peer, message: Message) -> None:
        held.set()
        await release.wait()
        await peer.answer(b"")

    quick_got_all = asyncio.Event()

    async def count(peer: Peer, message: Message) -> None:
        await peer.answer(b"")
        if len(quick.messages) == 3:
            quick_got_all.set()

    async with Receiver(hold) as slow, Receiver(count) as quick:
        await alerts.webhook(slow.url)
        await alerts.webhook(quick.url)
        await alerts.spend(await alerts.key(BUDGET), "100", workspace_id=alerts.workspace)
        await alerts.dispatcher.turn()
        async with asyncio.timeout(5):
            await held.wait()
            await quick_got_all.wait()
        assert len(slow.messages) == 1
        release.set()
        await alerts.dispatcher.settled()
    assert len(slow.messages) >= 3


async def test_messages_of_a_receiver_come_one_at_a_time_in_order(alerts: Alerting) -> None:
    """In the order of their events, as long as none of them fails."""
    at_once, most = 0, 0

    async def count(peer: Peer, message: Message) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        await peer.answer(b"")

    async with Receiver(count) as receiver:
        await alerts.webhook(receiver.url)
        for _ in range(30):
            await alerts.spend(await alerts.key({"credit_limit": 10}), "8")
            alerts.clock.move(0.01)
        await alerts.deliver()
    assert [each.id for each in receiver.messages] == [each["id"] for each in await alerts.told()]
    assert (len(receiver.messages), most) == (30, 1)


async def test_what_never_arrives_is_given_up_after_three_days(alerts: Alerting) -> None:
    """Until then it is tried again and again; a replay tries once more, with all its attempts before it."""
    async with Receiver(answer(500)) as receiver:
        webhook = await alerts.webhook(receiver.url)
        await alerts.spend(await alerts.key(BUDGET), "85")
        for _ in range(14):
            await alerts.deliver()
            # Somebody keeps bringing it back: a dead webhook would be disabled before its first delivery is given up.
            await alerts.world.ok("PUT", f"/v1/admin/webhooks/{webhook['id']}", {"status": "active"})
            alerts.clock.move(43_200)
        (found,) = await alerts.deliveries(webhook)
        tries = len(receiver.messages)
        assert (found["status"], found["next_attempt_at"]) == ("failed", None)
        assert 5 <= tries == len(found["attempts"])
        receiver.answering = answer(200)
        path = f"/v1/admin/webhooks/{webhook['id']}/deliveries/{found['id']}/replay"
        assert (await alerts.world.ok("POST", path))["status"] == "pending"
        await alerts.deliver()
    (found,) = await alerts.deliveries(webhook)
    assert (found["status"], len(found["attempts"])) == ("delivered", tries + 1)
    assert len({message.id for message in receiver.messages}) == 1


async def test_a_delivery_that_arrived_can_be_replayed(alerts: Alerting) -> None:
    """For a receiver that lost it: the same message under the same id."""
    async with Receiver() as receiver:
        webhook = await alerts.webhook(receiver.url)
        await alerts.spend(await alerts.key(BUDGET), "85")
        await alerts.deliver()
        (found,) = await alerts.deliveries(webhook)
        await alerts.world.ok("POST", f"/v1/admin/webhooks/{webhook['id']}/deliveries/{found['id']}/replay")
        await alerts.deliver()
    first, second = receiver.messages
    assert (first.id, first.body) == (second.id, second.body)


@pytest.mark.parametrize(
    ("status", "days", "why"), [(500, 2, "Nothing got through for 2 days."), (410, 0, "It answered 410 Gone.")]
)
async def test_a_dead_webhook_is_disabled_and_others_are_told(
    alerts: Alerting, status: int, days: int, why: str
) -> None:
    """Nothing more is sent to it; the notice goes to everybody else who wants to know, and to the audit log."""
    async with Receiver(answer(status)) as dead, Receiver() as other:
        webhook = await alerts.webhook(dead.url + "/path-is-a-secret?token=too")
        await alerts.webhook(other.url, types=["webhook.disabled"])
        await alerts.spend(await alerts.key(BUDGET), "85")
        for _ in range(days * 24 + 13):
            await alerts.deliver()
            alerts.clock.move(3600)
        tries = len(dead.messages)
        await alerts.spend(await alerts.key(BUDGET), "85")
        await alerts.deliver()
        assert len(dead.messages) == tries
        shown = await alerts.world.ok("GET", f"/v1/admin/webhooks/{webhook['id']}")
        assert (shown["status"], shown["status_reason"]) == ("disabled", why)
        (notice,) = other.messages
        assert notice.json["type"] == "webhook.disabled"
        assert notice.json["data"]["webhook_id"] == webhook["id"]
        assert b"secret" not in notice.body
        entry = (await alerts.world.audit())[-2]  # the last one made the key
        assert (entry.actor, entry.action, entry.resource) == ("headgate", "disable", f"webhook:{webhook['id']}")

        dead.answering = answer(200)
        await alerts.world.ok("PUT", f"/v1/admin/webhooks/{webhook['id']}", {"status": "active"})
        await alerts.spend(await alerts.key(BUDGET), "85")
        await alerts.deliver()
        assert (await alerts.deliveries(webhook))[0]["status"] == "delivered"


async def test_a_success_in_between_keeps_a_webhook_alive(alerts: Alerting) -> None:
    """Only a receiver that nothing gets through to is dead."""
    async with Receiver(answer(500)) as receiver:
        webhook = await alerts.webhook(receiver.url)
        for failing in (True, False) * 4:
            receiver.answering = answer(500 if failing else 200)
            await alerts.world.ok("POST", f"/v1/admin/webhooks/{webhook['id']}/test")
            await alerts.deliver()
            alerts.clock.move(43_200)
        shown = await alerts.world.ok("GET", f"/v1/admin/webhooks/{webhook['id']}")
    assert shown["status"] == "active"


async def test_a_dispatcher_that_dies_after_the_post_has_it_posted_again(both: Alerting) -> None:
    """At least once: what is not known to have arrived is sent again, under its id, when the claim runs out."""
    async with Receiver() as receiver:
        await both.webhook(receiver.url)
        await both.spend(await both.key(BUDGET), "85")
        await both.outbox.address(both.clock.now())
        (lane,) = await both.outbox.lanes(both.clock.now())
        (due,) = await both.outbox.due(lane, both.clock.now(), 10)
        until = both.clock.now() + LEASE_S * 10**9
        assert await both.outbox.claim(due.delivery, until)
        assert not await both.outbox.claim(due.delivery, until), "a delivery is attempted by one at a time"
        await both.deliver()
        assert receiver.messages == []
        both.clock.move(LEASE_S)
        await both.deliver()
        (message,) = receiver.messages
        assert message.id == due.event.id


async def test_two_dispatchers_address_an_event_once(both: Alerting) -> None:
    """Nodes on one database: every receiver gets one delivery of each event."""
    async with Receiver() as receiver:
        await both.webhook(receiver.url)
        for _ in range(20):
            await both.spend(await both.key(BUDGET), "85")
        await asyncio.gather(*(both.outbox.address(both.clock.now()) for _ in range(4)))
        await both.deliver()
    assert len(receiver.messages) == len({message.id for message in receiver.messages}) == 20


async def test_receivers_are_told_of_their_own_only(alerts: Alerting) -> None:
    """A workspace's webhook of its workspace, a tenant's of that tenant, and each of the types it asked for."""
    world = alerts.world
    other = (await world.ok("POST", "/v1/admin/workspaces", {"name": "Other"}))["id"]
    tenants = {
        name: (await world.ok("POST", "/v1/admin/tenants", {"name": name, "workspace_id": alerts.workspace}))["id"]
        for name in ("acme", "globex")
    }
    async with Receiver() as everything, Receiver() as of_workspace, Receiver() as of_tenant, Receiver() as ends:
        await alerts.webhook(everything.url)
        await alerts.webhook(of_workspace.url, workspace_id=alerts.workspace)
        await alerts.webhook(of_tenant.url, tenant_id=tenants["acme"])
        await alerts.webhook(ends.url, types=["key.exhausted"])
        acme = await alerts.key(BUDGET, tenant_id=tenants["acme"])
        globex = await alerts.key(BUDGET, tenant_id=tenants["globex"])
        outside = await alerts.key(BUDGET, workspace_id=other)
        await alerts.spend(acme, "85", tenant_id=tenants["acme"])
        await alerts.spend(globex, "85", tenant_id=tenants["globex"])
        await alerts.spend(outside, "100", workspace_id=other)
        await alerts.deliver()

    def keys(receiver: Receiver) -> set[tuple[str, str]]:
        return {(each.json["data"]["scope"]["id"], each.json["type"]) for each in receiver.messages}

    reached, exhausted = "budget.threshold_reached", "key.exhausted"
    assert keys(everything) == {(acme, reached), (globex, reached), (outside, reached), (outside, exhausted)}
    assert keys(of_workspace) == {(acme, reached), (globex, reached)}
    assert keys(of_tenant) == {(acme, reached)}
    assert keys(ends) == {(outside, exhausted)}


async def test_old_events_and_periods_are_dropped(alerts: Alerting) -> None:
    """After a month what was told, after a week the sums of a period that is over; what goes on stays."""
    async with Receiver() as receiver:
        await alerts.webhook(receiver.url)
        daily = await alerts.key({"credit_limit": 10, "periodic_reset": "daily"})
        forever = await alerts.key({"credit_limit": 10})
        await alerts.spend(daily, "8")
        await alerts.spend(forever, "8")
        await alerts.deliver()
        alerts.clock.move(31 * DAY_S)
        await alerts.deliver()

    def counts(connection: Any) -> list[int]:
        tables = (event, delivery, allowance_use, alert_told)
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]

    assert await alerts.database.read(counts) == [0, 0, 1, 1]
    await alerts.spend(forever, "0.1")
    assert await alerts.told() == []


async def test_a_dispatcher_goes_on_after_a_bad_turn(quick_database: Database) -> None:
    """A database that was away, or anything else that went wrong, is reported, and the next turn is taken."""
    arrived = asyncio.Event()

    async def arrive(peer: Peer, message: Message) -> None:
        await peer.answer(b"")
        arrived.set()

    async with Receiver(arrive) as receiver, alerting(quick_database) as alerts:
        address, calls = alerts.outbox.address, 0

        async def broken_once(now: int) -> int:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise RuntimeError("the outbox breaks")
            return await address(now)

        alerts.outbox.address = broken_once  # type: ignore[method-assign]
        await alerts.webhook(receiver.url)
        await alerts.spend(await alerts.key(BUDGET), "85")
        alerts.dispatcher.start()
        async with asyncio.timeout(5):
            await arrived.wait()
        assert [str(error) for _, error in alerts.reported] == ["the outbox breaks"]
