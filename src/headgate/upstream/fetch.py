"""One small GET to a provider, for those who ask it about itself: bounded, and never an error."""

from collections.abc import Mapping
from typing import Final

from headgate.base.clock import Clock
from headgate.base.errors import InvalidRequest
from headgate.tenancy.credential_checks import Fetched
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
        try:
            answer = await self._client.send(
                Request(origin, b"GET", path.encode(), [*_OURS, *given], b""), self._within
            )
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
        return Fetched(answer.status, body, took_ms=(self._clock.monotonic() - started) // 1_000_000)
