"""An invite goes out as a letter where there is a mail server, through the outbox: none is lost, no dead one sent."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from headgate.storage.alert_tables import event
from headgate.storage.database import Database
from tests.alerts.test_letters import read, sender
from tests.support.administration import MovedClock
from tests.support.alerting import Alerting, alerting
from tests.support.smtp_server import SmtpServer

INVITES = "/v1/admin/users/invites"
ANN = {"email": "Ann@example.com", "role": "member"}


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    async with SmtpServer() as opened:
        yield opened


@pytest.fixture
async def alerts(quick_database: Database, server: SmtpServer) -> AsyncIterator[Alerting]:
    clock = MovedClock()
    async with alerting(quick_database, clock=clock, letters=sender(server, clock)) as opened:
        yield opened


def link_in(server: SmtpServer, index: int = -1) -> str:
    found = re.search(r"http://\S+", read(server.letters[index]).get_content())
    assert found is not None
    return found[0]


async def accepted(alerts: Alerting, link: str) -> int:
    body = {"token": link.partition("token=")[2], "first_name": "Ann"}
    return (await alerts.world.call("POST", f"{INVITES}/accept", body, key="")).status


async def test_who_is_invited_gets_the_link(alerts: Alerting, server: SmtpServer) -> None:
    """Only they do, it is the one of the answer, and it works."""
    await alerts.world.ok("PUT", "/v1/admin/alerts", {"emails": ["boss@corp.test"]})
    made = await alerts.world.ok("POST", INVITES, ANN)
    assert made["mailed"] is True
    await alerts.deliver()
    assert [each.recipient for each in server.letters] == ["ann@example.com"]
    assert read(server.letters[0])["Subject"] == "Invitation to Organization"
    assert link_in(server) == made["invite_link"]
    assert await accepted(alerts, link_in(server)) == 200


async def test_the_link_is_sealed_while_it_waits(alerts: Alerting) -> None:
    """Who reads the database cannot become a user by it."""
    made = await alerts.world.ok("POST", INVITES, ANN)
    token = made["invite_link"].partition("token=")[2]
    bodies = await alerts.database.read(lambda c: c.execute(event.select()).mappings().all())
    assert len(bodies) == 1
    assert token not in bodies[0]["body"]


async def test_a_letter_waits_for_the_mail_server(alerts: Alerting, server: SmtpServer) -> None:
    """One that was refused is tried again, and arrives."""
    server.refused.add("ann@example.com")
    await alerts.world.ok("POST", INVITES, ANN)
    await alerts.deliver()
    assert server.letters == []
    server.refused.clear()
    alerts.clock.move(60)
    await alerts.deliver()
    assert len(server.letters) == 1


@pytest.mark.parametrize("how", ["resend", "cancel", "accept"])
async def test_a_dead_link_is_not_sent(alerts: Alerting, server: SmtpServer, how: str) -> None:
    """A letter that still waits is withdrawn with its link; a new link has a letter of its own."""
    server.refused.add("ann@example.com")
    made = await alerts.world.ok("POST", INVITES, ANN)
    await alerts.deliver()
    server.refused.clear()
    again: Any = None
    if how == "resend":
        again = await alerts.world.ok("POST", f"{INVITES}/{made['id']}/resend")
    elif how == "cancel":
        await alerts.world.ok("DELETE", f"{INVITES}/{made['id']}")
    else:
        assert await accepted(alerts, made["invite_link"]) == 200
    alerts.clock.move(60)
    await alerts.deliver()
    assert [link_in(server, index) for index in range(len(server.letters))] == (
        [] if again is None else [again["invite_link"]]
    )


async def test_without_a_mail_server_the_answer_says_so(quick_database: Database) -> None:
    """The link is in the answer all the same, and nothing waits."""
    async with alerting(quick_database) as alerts:
        made = await alerts.world.ok("POST", INVITES, ANN)
        assert made["mailed"] is False
        assert "token=" in made["invite_link"]
        assert sum((await alerts.outbox.counts()).values()) == 0
        wanted = await alerts.world.call("POST", "/v1/admin/webhooks", {"url": "http://x", "types": ["user.invited"]})
        assert wanted.status == 400
