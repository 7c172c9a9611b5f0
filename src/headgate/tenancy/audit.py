"""The audit log: each entry's hash covers the entry before it, so that nothing can be changed or taken out unseen.

Whoever can rewrite the whole table can rewrite the whole chain, and cut off its end: note down the head that
`verify_chain` returns, and have a later run look for it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any, Final

from headgate.tenancy.origin import Origin

GENESIS: Final = bytes(32)
"""What stands before the first entry."""
_ABSENT: Final = b"\xff" * 8
"""No length that a field can have: what is absent is not what is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change by an administrator. `body` is JSON text and never holds a secret. `seq` counts from 1."""

    organization_id: str
    seq: int
    at: int
    """Nanoseconds since the epoch."""
    actor: str
    """`api_key:<id>`, `user:<id>`, `operator` for a command on the machine, `headgate` for what it does by itself."""
    user_id: str | None = None
    """Whose key or session it was."""
    workspace_id: str | None = None
    """The workspace it is about; None: the whole organization."""
    action: str
    resource: str
    """`<type>:<id>`."""
    body: str
    origin: Origin | None = None
    """None: no HTTP request was behind it."""
    previous_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries are wanted; None: whatever it is. `start` and `end` are nanoseconds, both included."""

    start: int | None = None
    end: int | None = None
    method: str | None = None
    uri: str | None = None
    request_id: str | None = None
    user_id: str | None = None
    """A user, or an API key."""
    user_type: str | None = None
    workspace_id: str | None = None
    resource_type: str | None = None
    action: str | None = None
    client_ip: str | None = None
    country: str | None = None
    requested: bool = False
    """Only those that an HTTP request was behind."""


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a verification found."""

    entries: int
    head: bytes
    """The hash of the last entry that is right."""
    broken_at: int | None = None
    """The `seq` of the first entry that is not what was written, or the first that is missing."""
    knows: bool = True
    """Whether the head that was looked for is in it."""

    @property
    def intact(self) -> bool:
        return self.broken_at is None and self.knows


def next_entry(
    organization_id: str,
    previous: AuditEntry | None,
    *,
    at: int,
    actor: str,
    action: str,
    resource: str,
    body: Mapping[str, Any],
    user_id: str | None = None,
    workspace_id: str | None = None,
    origin: Origin | None = None,
) -> AuditEntry:
    """The entry that follows `previous`; None before the first."""
    seq, before = (1, GENESIS) if previous is None else (previous.seq + 1, previous.hash)
    blank = AuditEntry(
        organization_id=organization_id,
        seq=seq,
        at=at,
        actor=actor,
        user_id=user_id,
        workspace_id=workspace_id,
        action=action,
        resource=resource,
        body=json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
        origin=origin,
        previous_hash=before,
        hash=b"",
    )
    return replace(blank, hash=_hash(blank))


def verify_chain(
    entries: Iterable[AuditEntry], known_head: bytes | None = None, *, after: ChainReport | None = None
) -> ChainReport:
    """Check one organization's whole log, given in order from its first entry, or from the one `after` those of a
    report that found them right.

    `known_head` was noted down at an earlier time: where it is not in the log any more, its end was cut off or all of
    it written anew.
    """
    before = after or ChainReport(0, GENESIS)
    head, count, knows = before.head, before.entries, known_head in (None, GENESIS)
    for count, entry in enumerate(entries, start=before.entries + 1):
        if entry.seq != count or entry.previous_hash != head or entry.hash != _hash(entry):
            return ChainReport(count - 1, head, broken_at=count, knows=knows)
        head = entry.hash
        knows = knows or head == known_head
    return ChainReport(count, head, knows=knows)


def _hash(entry: AuditEntry) -> bytes:
    """Over everything but itself. A country that is not known is left out: older entries say nothing of it."""
    origin = (None,) if entry.origin is None else astuple(entry.origin)
    if entry.origin is not None and entry.origin.country is None:
        origin = origin[:-1]
    fields: tuple[str | int | bytes | None, ...] = (
        entry.organization_id,
        entry.seq,
        entry.at,
        entry.actor,
        entry.user_id,
        entry.workspace_id,
        entry.action,
        entry.resource,
        entry.body,
        *origin,
        entry.previous_hash,
    )
    digest = hashlib.sha256()
    for field in fields:
        if field is None:
            digest.update(_ABSENT)
            continue
        encoded = field if isinstance(field, bytes) else str(field).encode()
        # The length in front keeps ("ab", "c") apart from ("a", "bc").
        digest.update(len(encoded).to_bytes(8))
        digest.update(encoded)
    return digest.digest()
