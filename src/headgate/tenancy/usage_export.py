"""Exports of usage: which records, which of their columns, and how far one is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

KEEP_S: Final = 7 * 86_400
"""How long a file is kept once it is whole."""


class ExportStatus(StrEnum):
    """A draft can be changed; one that was started is written in the background, and can be downloaded once it is
    whole, until it is stopped."""

    DRAFT = "draft"
    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILED = "failed"
    STOPPED = "stopped"


class ExportFormat(StrEnum):
    """How a line is written."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageExport:
    """Times are nanoseconds since the epoch."""

    id: str
    organization_id: str
    workspace_id: str | None
    """None: of all workspaces."""
    tenant_id: str | None
    description: str
    filters: Mapping[str, Any]
    """As the contract spells them; from its start on with the time's end."""
    requested_data: tuple[str, ...]
    format: ExportFormat
    status: ExportStatus
    reason: str = ""
    """Why it failed."""
    total: int
    """Records it holds, or will hold."""
    done: int
    """Of them, those that are written."""
    created_by: str
    created_at: int
    updated_at: int
