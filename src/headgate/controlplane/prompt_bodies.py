"""Stored prompts as clients write and see them."""

from typing import Any

from pydantic import Field

from headgate.controlplane.body import Body
from headgate.controlplane.config_bodies import both
from headgate.tenancy.moments import to_iso
from headgate.tenancy.prompt import Prompt
from headgate.tenancy.prompt_template import template_of


class PromptChange(Body):
    name: str | None = None
    model: str | None = Field(None, description="What its calls go to, as a call names it.")
    messages: list[dict[str, Any]] | None = Field(
        None,
        description="As in a chat request; `{{name}}` in a text is a variable.",
        examples=[[{"role": "user", "content": "Say hello to {{name}}."}]],
    )
    string: str | None = Field(
        None, description="In place of `messages`: what the user says, or a JSON array of messages."
    )
    parameters: dict[str, Any] | None = Field(None, description="All else of the request: `max_tokens` and the like.")

    def sent(self) -> dict[str, Any]:
        # None of it can be taken away, so null leaves it as it is.
        return {name: value for name, value in super().sent().items() if value is not None}


class NewPrompt(PromptChange):
    name: str
    workspace_id: str | None = Field(None, description="Slug or id; not needed with a workspace's key.")


class PromptRendering(Body):
    variables: dict[str, Any] | None = Field(None, description="By name; what is no text is written as JSON.")


def prompt_made(found: Prompt) -> dict[str, Any]:
    """The answer to whoever wrote it."""
    return both({"id": found.id, "slug": found.slug, "version_id": found.version_id, "object": "prompt"})


def prompt(found: Prompt) -> dict[str, Any]:
    """As in a list."""
    return {
        "id": found.id,
        "slug": found.slug,
        "name": found.name,
        "organisation_id": found.organization_id,
        "workspace_id": found.workspace_id,
        "model": found.document.get("model"),
        "version_id": found.version_id,
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "prompt",
    }


def prompt_detail(found: Prompt) -> dict[str, Any]:
    """On its own."""
    return prompt(found) | {
        "messages": found.document["messages"],
        "parameters": found.document.get("parameters") or {},
        "variables": template_of(found).variables,
    }
