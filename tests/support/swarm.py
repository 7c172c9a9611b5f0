"""Many callers at once over real connections, and what each of them saw."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from headgate.base.money import nanos_from_usd
from tests.support.mix import Request
from tests.support.money_oracle import Told


@dataclass(slots=True)
class Seen:
    """`status` is 0 where no head of an answer came; `whole`: the answer came to its proper end."""

    key: str
    request: Request
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False

    @property
    def request_id(self) -> str:
        return self.headers.get("x-headgate-request-id", "")

    @property
    def by_gateway(self) -> bool:
        return self.headers.get("x-headgate-source") == "gateway"

    @property
    def code(self) -> str:
        """The code of an error answer."""
        with suppress(ValueError, KeyError, TypeError):
            return str(json.loads(self.body)["error"]["code"])
        return ""


async def send(url: str, key: str, request: Request) -> Seen:
    """One call on a connection of its own. A connection that breaks is part of what is seen."""
    seen = Seen(key, request)
    with suppress(OSError, asyncio.IncompleteReadError):
        await _exchange(urlsplit(url), seen)
    return seen


async def _exchange(url: Any, seen: Seen) -> None:
    reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=1 << 20)
    try:
        body = json.dumps(seen.request.body).encode()
        head = (
            f"POST {seen.request.path} HTTP/1.1",
            f"Host: {url.netloc}",
            f"Authorization: Bearer {seen.key}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        writer.write("\r\n".join((*head, "", "")).encode() + body)
        await _answer(reader, seen)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader, seen: Seen) -> None:
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    seen.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    seen.status = int(status.split(" ")[1])
    if "content-length" in seen.headers:
        seen.body = await reader.readexactly(int(seen.headers["content-length"]))
    else:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            seen.body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    seen.whole = True


async def swarm(callers: int, caller: Callable[[int], Awaitable[Iterable[Seen]]]) -> list[Seen]:
    """So many callers at once; all that they saw."""
    return [seen for each in await asyncio.gather(*map(caller, range(callers))) for seen in each]


def told(log: Iterable[Seen]) -> Told:
    """What the gateway told its callers, for the oracle."""
    log = [seen for seen in log if seen.whole]
    return Told(
        refused={seen.request_id for seen in log if seen.by_gateway and seen.status in (412, 429)},
        answered={seen.request_id for seen in log if seen.status == 200},
        costs={
            seen.request_id: nanos_from_usd(Decimal(seen.headers["x-headgate-cost-usd"]))
            for seen in log
            if "x-headgate-cost-usd" in seen.headers
        },
    )
