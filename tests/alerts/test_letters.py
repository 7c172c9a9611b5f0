"""Letters through a real mail server on loopback."""

import asyncio
import email
import email.policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from headgate.alerts import letters
from headgate.alerts.letters import LetterSender, MailServer
from headgate.storage.database import Database
from headgate.tenancy.envelope import Envelope
from tests.support.administration import PEPPER, MovedClock
from tests.support.alerting import Alerting, alerting
from tests.support.certificates import Authority
from tests.support.receiver import Receiver
from tests.support.smtp_server import Letter, SmtpServer

FROM = "headgate@gateway.test"
ENVELOPE = Envelope(PEPPER)


def read(letter: Letter) -> EmailMessage:
    message = email.message_from_string(letter.text, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def sender(server: SmtpServer, clock: MovedClock, **more: Any) -> LetterSender:
    return LetterSender(MailServer.parse(f"smtp://127.0.0.1:{server.port}"), FROM, ENVELOPE, clock, **more)


async def spend_85_of_100(alerts: Alerting, **fields: Any) -> str:
    key = await alerts.key({"credit_limit": 100, "periodic_reset": "monthly"}, **fields)
    await alerts.spend(key, "85")
    return key


async def test_the_key_its_workspace_and_the_organization_get_a_letter(quick_database: Database) -> None:
    """Each address once, whoever names it; with figures a person can read."""
    clock = MovedClock()
    async with (
        SmtpServer() as server,
        alerting(quick_database, clock=clock, letters=sender(server, clock)) as alerts,
    ):
        await alerts.world.ok("PUT", "/v1/admin/alerts", {"emails": ["boss@corp.test", "Ada@corp.test"]})
        path = f"/v1/admin/alerts?workspace_id={alerts.workspace}"
        await alerts.world.ok("PUT", path, {"emails": ["team@corp.test"]})
        await spend_85_of_100(alerts, name="Ada's key", alert_emails=["ada@corp.test"])
        await alerts.deliver()
        await alerts.deliver()
    assert sorted(each.recipient for each in server.letters) == ["ada@corp.test", "boss@corp.test", "team@corp.test"]
    letter = read(server.letters[0])
    assert (letter["From"], letter["Subject"]) == (FROM, "Budget of api key Ada's key at 85 %: $85.00 of $100.00")
    text = letter.get_content()
    assert "Used:    $85.00" in text
    assert "starts again at 2027-02-01T00:00:00.000Z" in text
    assert len({read(each)["Message-ID"] for each in server.letters}) == 3


async def test_another_keys_addresses_are_not_told(quick_database: Database) -> None:
    """A letter about one customer's key never goes to another's."""
    clock = MovedClock()
    async with (
        SmtpServer() as server,
        alerting(quick_database, clock=clock, letters=sender(server, clock)) as alerts,
    ):
        await alerts.key({"credit_limit": 100}, alert_emails=["globex@corp.test"])
        await spend_85_of_100(alerts, alert_emails=["acme@corp.test"])
        await alerts.deliver()
    assert [each.recipient for each in server.letters] == ["acme@corp.test"]


async def test_a_refused_address_delays_no_other_and_is_tried_again(quick_database: Database) -> None:
    """Under the same Message-ID, so that a mail program shows a letter that came twice as one."""
    clock = MovedClock()
    async with (
        SmtpServer(refused={"gone@corp.test"}) as server,
        alerting(quick_database, clock=clock, letters=sender(server, clock)) as alerts,
    ):
        await alerts.world.ok("PUT", "/v1/admin/alerts", {"emails": ["gone@corp.test", "here@corp.test"]})
        await spend_85_of_100(alerts)
        await alerts.deliver()
        assert [each.recipient for each in server.letters] == ["here@corp.test"]
        server.refused.clear()
        clock.move(6)
        await alerts.deliver()
        assert [each.recipient for each in server.letters] == ["here@corp.test", "gone@corp.test"]


@pytest.mark.parametrize("implicit", [False, True])
async def test_tls_and_a_password(quick_database: Database, tmp_path: Path, implicit: bool) -> None:
    """`smtp` upgrades as soon as the server offers it, `smtps` begins with it; the certificate must be right."""
    authority, clock = Authority(tmp_path), MovedClock()
    passwords = {"user@corp.test": "pass word"}
    async with SmtpServer(tls=authority.server("127.0.0.1"), implicit=implicit, passwords=passwords) as server:
        scheme = "smtps" if implicit else "smtp"
        url = f"{scheme}://user%40corp.test:pass%20word@127.0.0.1:{server.port}"
        assert "pass word" not in repr(MailServer.parse(url))
        trusting = LetterSender(MailServer.parse(url), FROM, ENVELOPE, clock, ssl_context=authority.client())
        async with alerting(quick_database, clock=clock, letters=trusting) as alerts:
            await spend_85_of_100(alerts, alert_emails=["ada@corp.test"])
            await alerts.deliver()
    (letter,) = server.letters
    assert (letter.secure, letter.user) == (True, "user@corp.test")


async def attempt(url: str, database: Database) -> str:
    """The error of one attempt."""
    clock = MovedClock()
    by_mail = LetterSender(MailServer.parse(url), FROM, ENVELOPE, clock)
    async with alerting(database, clock=clock, letters=by_mail) as alerts:
        await spend_85_of_100(alerts, alert_emails=["ada@corp.test"])
        await alerts.outbox.address(clock.now())
        (due,) = await alerts.outbox.due("email", clock.now(), 10)
        found = await by_mail.send(due)
        return found.error


async def test_a_password_is_never_sent_in_the_clear(quick_database: Database) -> None:
    """Where the server offers no TLS the letter waits."""
    async with SmtpServer(passwords={"user": "secret"}) as server:
        error = await attempt(f"smtp://user:secret@127.0.0.1:{server.port}", quick_database)
        assert "no TLS" in error
        assert server.letters == []


async def test_an_unknown_certificate_is_not_trusted(quick_database: Database, tmp_path: Path) -> None:
    """Neither the letter nor a password goes to who cannot prove the name."""
    async with SmtpServer(tls=Authority(tmp_path).server("127.0.0.1"), passwords={"user": "secret"}) as server:
        error = await attempt(f"smtp://user:secret@127.0.0.1:{server.port}", quick_database)
        assert "CERTIFICATE_VERIFY_FAILED" in error
        assert server.letters == []


async def test_a_mail_server_that_hangs_delays_no_webhook(
    quick_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lane of letters waits for its time-out; webhooks get theirs meanwhile."""
    monkeypatch.setattr(letters, "TIMEOUT_S", 3.0)
    clock, arrived = MovedClock(), asyncio.Event()

    async def arrive(peer: Any, message: Any) -> None:
        await peer.answer(b"")
        arrived.set()

    async with (
        SmtpServer(hanging=True) as server,
        Receiver(arrive) as receiver,
        alerting(quick_database, clock=clock, letters=sender(server, clock)) as alerts,
    ):
        await alerts.webhook(receiver.url)
        await spend_85_of_100(alerts, alert_emails=["ada@corp.test"])
        await alerts.dispatcher.turn()
        async with asyncio.timeout(2.5):
            await arrived.wait()
        await alerts.dispatcher.settled()
        (due,) = await alerts.outbox.due("email", clock.now() + 10**10, 10)
        assert due.delivery.attempts == 1


async def test_a_disabled_webhook_is_worth_a_letter(quick_database: Database) -> None:
    """To the organization's addresses."""
    clock = MovedClock()
    async with (
        SmtpServer() as server,
        alerting(quick_database, clock=clock, letters=sender(server, clock)) as alerts,
    ):
        await alerts.world.ok("PUT", "/v1/admin/alerts", {"emails": ["boss@corp.test"]})
        made = await alerts.webhook("http://127.0.0.1:8999/")
        webhook = await alerts.world.services.webhooks.get(alerts.world.root, made["id"])
        await alerts.world.services.webhooks.disable(webhook, "It answered 410 Gone.")
        await alerts.deliver()
    (letter,) = server.letters
    assert read(letter)["Subject"] == "The webhook at http://127.0.0.1:8999 was disabled"
