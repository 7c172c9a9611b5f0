"""A stored prompt, as somebody wrote it; `prompt_template` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Calls name it by its slug or id. Times are nanoseconds since the epoch."""

    id: str
    organization_id: str
    workspace_id: str
    slug: str
    name: str
    document: Mapping[str, Any]
    """`model`, `messages`, `parameters`."""
    version_id: str
    """Of the newest version: this one."""
    created_at: int
    updated_at: int
