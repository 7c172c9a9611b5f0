"""One attempt at a letter, through the operator's mail server."""

import asyncio
import smtplib
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from headgate.alerts.letter import letter
from headgate.base.clock import NANOS_PER_MS, Clock
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.moments import moment
from headgate.tenancy.outbox import Attempt, Due
from headgate.tenancy.vault import CannotOpen

TIMEOUT_S: Final = 10.0
"""For each exchange with the mail server."""
DELIVERED: Final = 250
_PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """`smtps` speaks TLS from the first byte; `smtp` as soon as the server offers it, and never sends a password
    before."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """From `smtp://user:password@host:port`, as the settings have checked it."""
        parts = urlsplit(url)
        return cls(
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            tls=parts.scheme == "smtps",
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )


class LetterSender:
    """One letter at a time, in a thread: smtplib waits for each answer."""

    def __init__(
        self,
        server: MailServer,
        sender: str,
        envelope: Envelope,
        clock: Clock,
        *,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._envelope = envelope
        self._clock = clock
        self._ssl_context = ssl_context

    async def send(self, due: Due) -> Attempt:
        at, began = self._clock.now(), self._clock.monotonic()
        status, error = await _in_thread(lambda: self._try(due, at))
        latency_ms = (self._clock.monotonic() - began) // NANOS_PER_MS
        return Attempt(delivery_id=due.delivery.id, at=at, latency_ms=latency_ms, status=status, answer="", error=error)

    def _try(self, due: Due, at: int) -> tuple[int | None, str]:
        """Status and error; an empty error is success."""
        try:
            self._deliver(self._message(due, at))
        except smtplib.SMTPRecipientsRefused as refused:
            code, answer = next(iter(refused.recipients.values()))
            return code, _text(answer)
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code, _text(refused.smtp_error)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return None, f"{type(error).__name__}: {error}"
        except CannotOpen as error:
            return None, error.message
        return DELIVERED, ""

    def _deliver(self, message: EmailMessage) -> None:
        with self._connected() as connection:
            connection.ehlo_or_helo_if_needed()
            if not self._server.tls and connection.has_extn("starttls"):
                connection.starttls(context=self._context())
            elif not self._server.tls and self._server.user:
                raise smtplib.SMTPException("it offers no TLS, and a password is not sent in the clear")
            if self._server.user:
                connection.login(self._server.user, self._server.password)
            connection.send_message(message)

    def _connected(self) -> smtplib.SMTP:
        host, port, name = self._server.host, self._server.port, self._sender.rpartition("@")[2]
        if self._server.tls:
            return smtplib.SMTP_SSL(host, port, local_hostname=name, timeout=TIMEOUT_S, context=self._context())
        return smtplib.SMTP(host, port, local_hostname=name, timeout=TIMEOUT_S)

    def _context(self) -> ssl.SSLContext:
        return self._ssl_context or ssl.create_default_context()

    def _message(self, due: Due, at: int) -> EmailMessage:
        message = EmailMessage()
        message["Subject"], text = letter(due.event, self._envelope)
        message["From"] = self._sender
        message["To"] = due.delivery.recipient
        message["Date"] = format_datetime(moment(at))
        # The same at every attempt, so that a mail program shows a letter that came twice as one.
        message["Message-ID"] = f"<{due.delivery.id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


async def _in_thread(function: Callable[[], tuple[int | None, str]]) -> tuple[int | None, str]:
    """In a thread that nobody waits for when the process ends: a mail server that hangs must not hold that up."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[tuple[int | None, str]] = loop.create_future()

    def tell(outcome: tuple[int | None, str] | Exception) -> None:
        if result.done():
            return
        if isinstance(outcome, Exception):
            result.set_exception(outcome)
        else:
            result.set_result(outcome)

    def run() -> None:
        outcome: tuple[int | None, str] | Exception
        try:
            outcome = function()
        except Exception as error:
            outcome = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, outcome)

    threading.Thread(target=run, name="letter", daemon=True).start()
    return await result
