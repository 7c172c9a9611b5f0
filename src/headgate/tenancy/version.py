"""What a config or a guardrail was, each time it was written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """`of_id` is the config's or the guardrail's id, `number` counts from 1."""

    id: str
    of_id: str
    number: int
    document: Mapping[str, Any]
    actor: str
    """Who wrote it, as in the audit log."""
    created_at: int
