"""Configs and guardrails as clients write and see them.

Portkey's published API wraps what it answers in `data`, its SDK reads the top: both are there.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from headgate.controlplane.body import Body, Reference
from headgate.tenancy.configs import STATUSES, SeenConfig
from headgate.tenancy.guardrail import Guardrail
from headgate.tenancy.moments import to_iso
from headgate.tenancy.version import Version

_WORKSPACE = "Slug or id; without it (with an admin key) it is the organization's."


class ConfigChange(Body):
    name: str | None = None
    config: dict[str, Any] | None = Field(None, description="Targets by name, and the terms of going there.")
    status: str | None = Field(None, description="`active` or `archived`.")
    is_default: bool | None = Field(None, description="Whether it is the default of its workspace.")

    def sent(self) -> dict[str, Any]:
        # None of it can be taken away, so null leaves it as it is.
        return {name: value for name, value in super().sent().items() if value is not None}


class NewConfig(ConfigChange):
    name: str
    config: dict[str, Any]
    workspace_id: Reference | None = Field(None, description=_WORKSPACE)


class GuardrailChange(Body):
    name: str | None = None
    checks: list[dict[str, Any]] | None = Field(
        None, description="`{id, name, is_enabled, parameters}`, in their order."
    )
    actions: dict[str, Any] | None = Field(None, description="`deny`: what fails is refused; `async`: only recorded.")

    def sent(self) -> dict[str, Any]:
        return {name: value for name, value in super().sent().items() if value is not None}


class NewGuardrail(GuardrailChange):
    name: str
    checks: list[dict[str, Any]]
    workspace_id: Reference | None = Field(None, description=_WORKSPACE)


def both(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document, and the document wrapped."""
    return {"success": True, "data": document, **document}


def config_made(found: SeenConfig) -> dict[str, Any]:
    """The answer to whoever wrote it."""
    config = found.config
    return both({"id": config.id, "slug": config.slug, "version_id": config.version_id, "object": "config"})


def config(found: SeenConfig) -> dict[str, Any]:
    """As in a list."""
    config = found.config
    return {
        "id": config.id,
        "slug": config.slug,
        "name": config.name,
        "organisation_id": config.organization_id,
        "workspace_id": config.workspace_id,
        "is_default": int(found.is_default),
        "status": STATUSES[config.archived],
        "version_id": config.version_id,
        "created_at": to_iso(config.created_at),
        "last_updated_at": to_iso(config.updated_at),
        "object": "config",
    }


def config_detail(found: SeenConfig) -> dict[str, Any]:
    """On its own."""
    return config(found) | {"config": dict(found.config.document)}


def guardrail_made(found: Guardrail) -> dict[str, Any]:
    """The answer to whoever wrote it."""
    return both({"id": found.id, "slug": found.slug, "version_id": found.version_id, "object": "guardrail"})


def guardrail(found: Guardrail) -> dict[str, Any]:
    """As in a list."""
    return {
        "id": found.id,
        "slug": found.slug,
        "name": found.name,
        "organisation_id": found.organization_id,
        "workspace_id": found.workspace_id,
        "status": "active",
        "version_id": found.version_id,
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "guardrail",
    }


def guardrail_detail(found: Guardrail) -> dict[str, Any]:
    """On its own."""
    return guardrail(found) | {"checks": [dict(each) for each in found.checks], "actions": dict(found.actions)}


def version(found: Version) -> dict[str, Any]:
    """What it was, once."""
    return {
        "id": found.id,
        "version_id": found.id,
        "version": found.number,
        **found.document,
        "created_by": found.actor,
        "created_at": to_iso(found.created_at),
        "object": "version",
    }
