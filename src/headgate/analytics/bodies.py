"""Bodies of calls, and logs that were sent in: encrypted, and shown only to who may see the call.

They are sealed under a key of their own, made once: a rotation of the master key seals that key anew, not every body.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headgate.analytics.kept import KeptBody, SentLog
from headgate.analytics.stores import BodyStore
from headgate.base.clock import Clock
from headgate.base.errors import InvalidRequest, TooLarge
from headgate.base.ids import RandomBytes, object_id
from headgate.tenancy import rules
from headgate.tenancy.moments import to_iso
from headgate.tenancy.principal import Principal
from headgate.tenancy.vault import MasterKey, Vault

LONGEST: Final = 64 * 1024
"""Bytes of a request, and of an answer, that are kept."""
LONGEST_LOG: Final = 4 * LONGEST
MOST_AT_ONCE: Final = 100
"""Logs that are sent in together."""


class Bodies:
    """Seals and opens."""

    def __init__(self, store: BodyStore, key: bytes, clock: Clock, random_bytes: RandomBytes) -> None:
        self._store = store
        self._vault = Vault([MasterKey(key)])
        self._clock = clock
        self._random_bytes = random_bytes

    def sealed(self, request_id: str, organization_id: str, at: int, request: bytes, response: bytes) -> KeptBody:
        """What is longer than `LONGEST` is cut."""
        parts = [base64.b64encode(part[:LONGEST]).decode() for part in (request, response)]
        sealed = self._vault.seal(json.dumps(parts).encode(), organization_id, _row(request_id))
        return KeptBody(request_id, organization_id, at, sealed, max(len(request), len(response)) > LONGEST)

    def seal(self, content: bytes, organization_id: str, row: str) -> bytes:
        """What else is made of calls: an export's file. It opens for this row only."""
        return self._vault.seal(content, organization_id, row)

    def open(self, sealed: bytes, organization_id: str, row: str) -> bytes:
        """What was sealed."""
        return self._vault.open(sealed, organization_id, row)

    async def keep(self, bodies: Sequence[KeptBody]) -> None:
        """Raises whatever the database has against it."""
        await self._store.add(bodies)

    async def forget(self, now: int) -> int:
        """Remove some whose time is over; how many. 0: none are left."""
        return await self._store.forget(now)

    async def get(self, organization_id: str, request_id: str) -> Mapping[str, Any] | None:
        """`request` and `response`: JSON where they are, else text. None: they are not kept."""
        return (await self.all_of(organization_id, [request_id])).get(request_id)

    async def all_of(self, organization_id: str, request_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Of those calls whose bodies are kept, as `get` gives one."""
        found: dict[str, Mapping[str, Any]] = {}
        for kept in await self._store.get(organization_id, request_ids):
            request, response = json.loads(self._vault.open(kept.sealed, organization_id, _row(kept.request_id)))
            found[kept.request_id] = {"request": _shown(request), "response": _shown(response)}
        return found

    async def send(self, principal: Principal, each: Sequence[Mapping[str, Any]]) -> list[str]:
        """Keep logs of calls that did not go through the gateway, all or none; their ids. They count in no sum. Raises
        `TooLarge`, and `InvalidRequest` for none or too many."""
        if not 0 < len(each) <= MOST_AT_ONCE:
            raise InvalidRequest(f"Send one log, or a list of 1 to {MOST_AT_ONCE}.", param="body")
        logs = [self._log(principal, fields) for fields in each]
        await self._store.add_sent(logs)
        return [log.id for log in logs]

    def _log(self, principal: Principal, fields: Mapping[str, Any]) -> SentLog:
        text = json.dumps({name: fields.get(name) or {} for name in ("request", "response", "metadata")})
        if len(text) > LONGEST_LOG:
            raise TooLarge(f"A log is at most {LONGEST_LOG} bytes.", param="body")
        metadata = fields.get("metadata") or {}
        log_id = object_id("log", self._random_bytes)
        return SentLog(
            id=log_id,
            organization_id=principal.organization_id,
            workspace_id=principal.workspace_id or "",
            tenant_id=principal.tenant_id,
            key_id=principal.key_id or "",
            trace_id=rules.text(str(metadata.get("trace_id") or log_id), "metadata.trace_id", 128),
            at=self._clock.now(),
            sealed=self._vault.seal(text.encode(), principal.organization_id, f"sent_log/{log_id}"),
        )

    async def sent(self, principal: Principal, log_id: str) -> dict[str, Any] | None:
        """One that the caller may see."""
        log = await self._store.sent(principal.organization_id, log_id)
        if log is None or principal.workspace_id not in (None, log.workspace_id):
            return None
        if principal.tenant_id not in (None, log.tenant_id):
            return None
        document = json.loads(self._vault.open(log.sealed, log.organization_id, log.row))
        told = {"id": log.id, "object": "log", "created_at": to_iso(log.at), "trace_id": log.trace_id}
        return {**told, **document, "metrics": {"trace_id": log.trace_id, "api_key_id": log.key_id}}


def _row(request_id: str) -> str:
    return f"call_body/{request_id}"


def _shown(encoded: str) -> Any:
    text = base64.b64decode(encoded).decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
