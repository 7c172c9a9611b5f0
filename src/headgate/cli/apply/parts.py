"""What models and workspaces have of an integration: declared below it, and sent to routes of their own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from headgate.cli.apply.difference import Difference, differences
from headgate.cli.apply.kinds import PROVIDERS
from headgate.cli.apply.live import Live
from headgate.cli.apply.platform import Declared
from headgate.cli.apply.step import Step

ONLY_WHEN_MADE: Final = frozenset(("create_default_provider", "default_provider_slug"))
ELSEWHERE: Final = frozenset(("models", "allow_all_models", "workspaces", "global_workspace_access"))
"""Of an integration: what has a route of its own."""
_NO_MORE: Final[Mapping[str, Any]] = {
    "is_custom": False,
    "is_finetune": False,
    "base_model_slug": None,
    "configurations": None,
    "pricing_config": None,
}
"""What is said of a model of which no more is said than its name: a model is written whole."""


def models_step(each: Declared, live: Live) -> Iterator[Step]:
    """At most one: the models that differ, and whether all others are allowed."""
    exists = live.find(each) is not None
    said, allow_all = live.models(str(each.fields["slug"])) if exists else ({}, True)
    found: list[Difference] = []
    body: dict[str, Any] = {}
    if each.fields.get("allow_all_models") not in (None, allow_all):
        found.append(Difference("allow_all_models", "allow_all_models", allow_all, each.fields["allow_all_models"]))
        body["allow_all_models"] = each.fields["allow_all_models"]
    for index, model in enumerate(each.fields.get("models") or []):
        own = {name: value for name, value in model.items() if name != "slug"}
        shown = said.get(model["slug"])
        changed = _part(each, f"models[{index}]", own if shown is None else {**_NO_MORE, **own}, shown, live)
        if changed:
            found += [_placed(change, f"models[{model['slug']}]") for change in changed]
            body.setdefault("models", []).append(model)
    if found:
        path = f"/integrations/{each.fields['slug']}/models"
        yield Step("change", f"models of {each.title}", found, "PUT", path, body, each)


def access_step(each: Declared, live: Live, wanted: Sequence[Declared]) -> Iterator[Step]:
    """At most one: the workspaces whose share differs, and what those to come will have."""
    exists = live.find(each) is not None
    given, for_all = live.access(str(each.fields["slug"])) if exists else ({}, {})
    found: list[Difference] = []
    body: dict[str, Any] = {}
    access = each.fields.get("global_workspace_access")
    if access:
        changed = _part(each, "global_workspace_access", access, for_all, live)
        if changed:
            found += [_placed(change, "global_workspace_access") for change in changed]
            body["global_workspace_access"] = access
    named = {other.fields["workspace_id"] for other in wanted if _is_its_default(other, each)}
    for index, entry in enumerate(each.fields.get("workspaces") or []):
        workspace = entry["id"]
        own = {name: value for name, value in entry.items() if name not in ("id", *ONLY_WHEN_MADE)}
        changed = _part(each, f"workspaces[{index}]", own, given.get(workspace), live)
        if changed:
            found += [_placed(change, f"workspaces[{workspace}]") for change in changed]
            default = {"create_default_provider": False} if workspace in named else {}
            body.setdefault("workspaces", []).append(default | entry)
    if found:
        path = f"/integrations/{each.fields['slug']}/workspaces"
        yield Step("change", f"workspaces of {each.title}", found, "PUT", path, body, each)


def _is_its_default(other: Declared, integration: Declared) -> bool:
    """A provider that is declared under the name which the integration would give to it, and so is made as declared."""
    return other.kind is PROVIDERS and other.fields["slug"] == integration.fields["slug"]


def _part(
    each: Declared, place: str, fields: Mapping[str, Any], shown: Mapping[str, Any] | None, live: Live
) -> list[Difference]:
    """None shown: there is nothing yet, so that all of it is new, even what is false."""
    changed = differences(replace(each, place=f"{each.place}.{place}", fields=fields), shown or {}, live.names)
    return changed if shown is not None else [Difference(name, name, None, value) for name, value in fields.items()]


def _placed(change: Difference, place: str) -> Difference:
    return Difference(change.field, f"{place}.{change.place}", change.before, change.after)
