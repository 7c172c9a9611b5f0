"""One attempt at a webhook: signed, bounded in time and size, no redirects."""

from contextlib import closing
from typing import Final

from headgate.alerts.signature import signed_headers
from headgate.base.clock import NANOS_PER_MS, Clock
from headgate.base.errors import HeadgateError
from headgate.tenancy.outbox import Attempt, Due
from headgate.tenancy.vault import Vault
from headgate.tenancy.webhook import Webhook
from headgate.tenancy.webhook_secret import secrets_of
from headgate.upstream.answer import Answer
from headgate.upstream.base_url import target_of
from headgate.upstream.client import Client, Deadlines, Failed, Request

ANSWER_BYTES: Final = 1_024
"""As much of an answer is kept; the rest is not read."""
DEADLINES: Final = Deadlines(connect_s=5, first_byte_s=15, idle_s=5, total_s=20)


class WebhookSender:
    """`client` stands behind the guard for webhooks."""

    def __init__(self, client: Client, vault: Vault, clock: Clock, deadlines: Deadlines = DEADLINES) -> None:
        self._client = client
        self._vault = vault
        self._clock = clock
        self._deadlines = deadlines

    async def send(self, due: Due) -> Attempt:
        assert due.webhook is not None
        at, began = self._clock.now(), self._clock.monotonic()
        status, answer = None, ""
        try:
            status, answer = await self._post(due, due.webhook, at)
            error = "" if 200 <= status < 300 else _refusal(status)
        except (Failed, HeadgateError) as failed:
            error = str(failed)
        latency_ms = (self._clock.monotonic() - began) // NANOS_PER_MS
        return Attempt(
            delivery_id=due.delivery.id, at=at, latency_ms=latency_ms, status=status, answer=answer, error=error
        )

    async def _post(self, due: Due, webhook: Webhook, at: int) -> tuple[int, str]:
        origin, path = target_of(webhook.url)
        body = due.event.body.encode()
        secrets = secrets_of(webhook, self._vault, at)
        headers = [
            (b"content-type", b"application/json"),
            (b"user-agent", b"Headgate-Webhooks"),
            *signed_headers(secrets, due.event.id, at, body),
        ]
        answer = await self._client.send(Request(origin, b"POST", path, headers, body), self._deadlines)
        with closing(answer):
            return answer.status, (await _first_bytes(answer)).decode("utf-8", "replace")


async def _first_bytes(answer: Answer) -> bytes:
    data = b""
    try:
        while len(data) < ANSWER_BYTES and (more := await answer.next()):
            data += more
    except Failed:
        pass  # the status has come, and it decides
    return data[:ANSWER_BYTES]


def _refusal(status: int) -> str:
    return f"It answered {status}; redirects are not followed." if 300 <= status < 400 else f"It answered {status}."
