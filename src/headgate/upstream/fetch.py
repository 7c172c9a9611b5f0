"""One small request to a provider or an issuer, for those who ask it about itself: bounded, and never an error."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from headgate.base.clock import Clock
from headgate.base.errors import InvalidRequest
from headgate.tenancy.credential_checks import Fetched
from headgate.upstream.base_url import target_of
from headgate.upstream.client import Client, Deadlines, Failed, Request
from headgate.upstream.origin import Origin

LARGEST: Final = 4 * 1024 * 1024
"""Bytes of an answer; of a larger one only the status is told."""
WITHIN: Final = Deadlines(connect_s=5, first_byte_s=10, idle_s=5, total_s=15)
_OURS: Final = ((b"accept", b"application/json"), (b"user-agent", b"headgate"))


class Fetcher:
    """A `tenancy.credential_checks.Fetch` on the client that calls go by, with its vetted addresses."""

    def __init__(self, client: Client, clock: Clock, within: Deadlines = WITHIN) -> None:
        self._client = client
        self._clock = clock
        self._within = within

    async def __call__(self, base_url: str, path: str, headers: Mapping[str, str]) -> Fetched:
        started = self._clock.monotonic()
        try:
            origin = Origin.parse(base_url)
        except InvalidRequest as error:
            return Fetched(trouble=error.message.rstrip("."))
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        found = await _exchanged(
            self._client, Request(origin, b"GET", path.encode(), [*_OURS, *given], b""), self._within
        )
        return replace(found, took_ms=(self._clock.monotonic() - started) // 1_000_000)


class Asker:
    """A `tenancy.sign_on.issuer.Ask` on the same client: no redirects, no cookies, vetted addresses."""

    def __init__(self, client: Client, within: Deadlines = WITHIN) -> None:
        self._client = client
        self._within = within

    async def get(self, url: str) -> Fetched:
        return await self._sent(b"GET", url, [], b"")

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Fetched:
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        kind = (b"content-type", b"application/x-www-form-urlencoded")
        return await self._sent(b"POST", url, [kind, *given], urlencode(form).encode())

    async def _sent(self, method: bytes, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Fetched:
        try:
            origin, path = target_of(url)
            return await _exchanged(self._client, Request(origin, method, path, [*_OURS, *headers], body), self._within)
        except InvalidRequest as error:
            return Fetched(trouble=error.message.rstrip("."))
        except ValueError as error:  # what would be no request
            return Fetched(trouble=str(error))


async def _exchanged(client: Client, request: Request, within: Deadlines) -> Fetched:
    try:
        answer = await client.send(request, within)
        try:
            body = await answer.read(LARGEST)
        except Failed as failed:
            if failed.kind != "too_large":
                raise
            body = b""
        finally:
            answer.close()
    except Failed as failed:
        return Fetched(trouble=failed.text)
    return Fetched(answer.status, body)
