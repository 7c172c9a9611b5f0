"""Answers that every process is to forget."""

from dataclasses import dataclass
from typing import Final

KEPT_S: Final = 86_400
"""A process that has heard of none for longer forgets every answer."""


@dataclass(frozen=True, slots=True)
class AnswerPurge:
    """Of an organization, or of its workspace or tenant that is named. `version`: the count of changes with this one;
    `at` is the wall clock."""

    id: str
    version: int
    at: int
    organization_id: str
    workspace_id: str | None
    tenant_id: str | None
