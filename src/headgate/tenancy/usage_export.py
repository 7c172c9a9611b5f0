"""Exports of usage: which records, which of their columns, and how far one is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ExportStatus(StrEnum):
    """A draft can be changed; one that was started says what it holds, and can be downloaded until it is stopped."""

    DRAFT = "draft"
    SUCCESS = "success"
    STOPPED = "stopped"


class ExportFormat(StrEnum):
    """How a line is written."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageExport:
    """No copy is made: records do not change, so a download reads them as it goes."""

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
    total: int
    done: int
    """Records sent by the download that began last."""
    created_by: str
    created_at: int
    updated_at: int
