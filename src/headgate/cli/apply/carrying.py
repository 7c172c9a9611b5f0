"""The steps, one after the other. Whatever ends it in the middle, the next run goes on from there."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headgate.base.errors import Unavailable
from headgate.cli.administrator import Administrator, Refused
from headgate.cli.apply.keys_file import Keep
from headgate.cli.apply.kinds import CONFIGS, GUARDRAILS, WORKSPACES
from headgate.cli.apply.live import Names
from headgate.cli.apply.references import by_slug
from headgate.cli.apply.secret import revealed
from headgate.cli.apply.step import Step

SECRETS: Final = ("key", "secret", "invite_link")
"""Fields of an answer that are shown this once. The link of an invite that went out as a letter is whose it is."""


def carry_out(steps: Sequence[Step], administrator: Administrator, names: Names, keep: Keep) -> None:
    """`keep` is given each new secret before the next step. Raises `Refused`, naming the step, and `Unavailable`."""
    for done, step in enumerate(steps):
        try:
            answer = _sent(step, administrator, names)
        except Refused as error:
            raise Refused(f"{step.title}: {error.message} {done} of {len(steps)} changes were made.") from None
        kind, workspace = step.declared.kind, step.declared.fields.get("workspace_id")
        if step.verb == "create" and kind in (CONFIGS, GUARDRAILS):
            names.add(kind, workspace, str(step.declared.fields["name"]), answer)
        for secret in SECRETS:
            if step.method == "POST" and isinstance(answer.get(secret), str) and not answer.get("mailed"):
                keep({"of": step.title, "id": str(answer["id"]), secret: answer[secret]})


def _sent(step: Step, administrator: Administrator, names: Names) -> Mapping[str, Any]:
    workspace = step.declared.fields.get("slug" if step.declared.kind is WORKSPACES else "workspace_id")
    body = {name: by_slug(name, revealed(value), names, workspace) for name, value in step.body.items()}
    if step.method == "DELETE":
        return administrator.delete(step.path)
    if step.method == "PUT":
        return administrator.put(step.path, body)
    once = uuid.uuid4().hex
    try:
        return administrator.post(step.path, body, idempotency_key=once)
    except Unavailable:
        # Whether it was done is not known; with the same key it is done once at most.
        return administrator.post(step.path, body, idempotency_key=once)
