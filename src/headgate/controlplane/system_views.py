"""The system as the API shows it."""

from typing import Any

from headgate.base.money import usd
from headgate.tenancy.moments import to_iso
from headgate.tenancy.system import HoldState, JournalState, ProcessState, StoreState, SystemState, Verification


def system(found: SystemState) -> dict[str, Any]:
    resting = [
        {"integration_id": each.integration_id, "model": each.model, "reason": each.why, "for_ms": each.for_ms}
        for each in found.resting
    ]
    return {
        "version": found.version,
        "python": found.python,
        "process_id": found.process_id,
        "started_at": to_iso(found.started_at),
        "trouble": found.trouble,
        "stores": [_store(each) for each in found.stores],
        "journal": _journal(found.journal),
        "outbox": dict(found.outbox),
        "holds": [_hold(each) for each in found.holds],
        "held": found.held,
        "processes": [_process(each) for each in found.processes],
        "settings": [{"name": each.name, "value": each.value} for each in found.settings],
        "resting": resting,
        "verification": None if found.verification is None else verification(found.verification),
        "object": "system",
    }


def verification(found: Verification) -> dict[str, Any]:
    """Of the books. `records` of `of` were added up so far."""
    return {
        "started_at": to_iso(found.started_at),
        "ended_at": None if found.ended_at is None else to_iso(found.ended_at),
        "records": found.records,
        "of": found.of,
        "allowances": found.allowances,
        "unfinished": found.unfinished,
        "differences": list(found.differences),
        "more_differences": found.more_differences,
        "failure": found.failure or None,
        "object": "verification",
    }


def _store(found: StoreState) -> dict[str, Any]:
    return {
        "name": found.name,
        "version": found.version or None,
        "revision": found.schema or None,
        "newest_revision": found.newest_schema or None,
        "answered_ms": round(found.answered_ms, 3),
        "trouble": found.trouble or None,
        "warnings": list(found.warnings),
    }


def _journal(found: JournalState) -> dict[str, Any]:
    return {
        "bytes": found.size,
        "most_bytes": found.limit,
        "segments": found.segments,
        "waiting": found.unwritten_calls,
        "oldest_at": None if found.oldest_at is None else to_iso(found.oldest_at),
        "trouble": found.trouble or None,
    }


def _hold(found: HoldState) -> dict[str, Any]:
    return {
        "request_id": found.request_id,
        "at": to_iso(found.at),
        "api_key_id": found.key_id or None,
        "tenant_id": found.tenant_id,
        "model": found.model or None,
        "tokens": found.tokens,
        "cost_usd": usd(found.cost),
    }


def _process(found: ProcessState) -> dict[str, Any]:
    return {
        "id": found.id,
        "place": found.place,
        "started_at": to_iso(found.started_at),
        "last_seen_ms": found.idle // 1_000_000,
        "alive": found.alive,
        "allowances_borrowed": found.shares,
    }
