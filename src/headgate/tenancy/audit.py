"""The audit log: each entry's hash covers the entry before it, so that nothing can be changed or taken out unseen.

Whoever can rewrite the whole table can rewrite the whole chain: note down the head that `verify_chain` returns, and
compare it with a later run.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

GENESIS: Final = bytes(32)
"""What stands before the first entry."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change by an administrator. `body` is JSON text and never holds a secret. `seq` counts from 1."""

    organization_id: str
    seq: int
    at: int
    """Nanoseconds since the epoch."""
    actor: str
    action: str
    resource: str
    body: str
    previous_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a verification found."""

    entries: int
    head: bytes
    """The hash of the last entry that is right."""
    broken_at: int | None = None
    """The `seq` of the first entry that is not what was written, or the first that is missing."""

    @property
    def intact(self) -> bool:
        return self.broken_at is None


def next_entry(
    organization_id: str,
    previous: AuditEntry | None,
    *,
    at: int,
    actor: str,
    action: str,
    resource: str,
    body: Mapping[str, Any],
) -> AuditEntry:
    """The entry that follows `previous`; None before the first."""
    seq, before = (1, GENESIS) if previous is None else (previous.seq + 1, previous.hash)
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = _hash(organization_id, seq, at, actor, action, resource, text, before)
    return AuditEntry(organization_id, seq, at, actor, action, resource, text, before, digest)


def verify_chain(entries: Iterable[AuditEntry]) -> ChainReport:
    """Check one organization's whole log, given in order from its first entry."""
    head, count = GENESIS, 0
    for count, entry in enumerate(entries, start=1):
        digest = _hash(
            entry.organization_id,
            entry.seq,
            entry.at,
            entry.actor,
            entry.action,
            entry.resource,
            entry.body,
            entry.previous_hash,
        )
        if entry.seq != count or entry.previous_hash != head or entry.hash != digest:
            return ChainReport(count - 1, head, broken_at=count)
        head = entry.hash
    return ChainReport(count, head)


def _hash(*fields: str | int | bytes) -> bytes:
    digest = hashlib.sha256()
    for field in fields:
        encoded = field if isinstance(field, bytes) else str(field).encode()
        # The length in front keeps ("ab", "c") apart from ("a", "bc").
        digest.update(len(encoded).to_bytes(8))
        digest.update(encoded)
    return digest.digest()
