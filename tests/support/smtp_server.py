"""A small mail server on loopback: takes letters, refuses whom it is told to refuse, hangs when it is told to."""

import asyncio
import base64
import ssl
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Letter:
    """As it was handed over: envelope and text."""

    sender: str
    recipient: str
    text: str
    secure: bool
    user: str


@dataclass
class SmtpServer(AbstractAsyncContextManager["SmtpServer"]):
    """Speaks SMTP with STARTTLS where it has a certificate (`implicit`: TLS from the first byte), and AUTH PLAIN."""

    tls: ssl.SSLContext | None = None
    implicit: bool = False
    passwords: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    hanging: bool = False
    letters: list[Letter] = field(default_factory=list)
    greeted: int = 0

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        context = self.tls if self.implicit else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.greeted += 1
        try:
            if self.hanging:
                await reader.read()
            else:
                await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secure, sender, recipient, user = self.implicit, "", "", ""
        writer.write(b"220 mail.test\r\n")
        while line := (await reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    writer.write(self._greeting(secure))
                case "STARTTLS":
                    assert self.tls is not None
                    writer.write(b"220 go ahead\r\n")
                    await writer.start_tls(self.tls)
                    secure = True
                case "AUTH":
                    _, name, password = base64.b64decode(rest.split(" ")[1]).decode().split("\0")
                    known = self.passwords.get(name) == password
                    user = name if known else ""
                    writer.write(b"235 welcome\r\n" if known else b"535 wrong password\r\n")
                case "MAIL":
                    sender = rest.partition("<")[2].partition(">")[0]
                    writer.write(b"250 ok\r\n")
                case "RCPT":
                    recipient = rest.partition("<")[2].partition(">")[0]
                    writer.write(b"550 nobody here\r\n" if recipient in self.refused else b"250 ok\r\n")
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    text = (await reader.readuntil(b"\r\n.\r\n")).decode()
                    self.letters.append(Letter(sender, recipient, text, secure, user))
                    writer.write(b"250 taken\r\n")
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    return
                case _:
                    writer.write(b"250 ok\r\n")

    def _greeting(self, secure: bool) -> bytes:
        offers = ["mail.test"]
        if self.tls is not None and not secure:
            offers.append("STARTTLS")
        if self.passwords:
            offers.append("AUTH PLAIN")
        lines = [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]
        return "".join(f"{line}\r\n" for line in lines).encode()
