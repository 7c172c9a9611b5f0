"""Which calls a page is about: the filters of analytics and request log, in the address, so that a link is a view."""

import json
from collections.abc import Mapping
from typing import Final

from headgate.analytics.calls import METADATA, Label
from headgate.console.visit import Visit

FILTERS: Final = {
    "workspace_slug": "Workspace",
    "tenant_id": "Tenant",
    "api_key_ids": "Key id",
    "ai_model": "Model",
    "virtual_keys": "Provider",
    "status_code": "Status",
    "outcome": "Outcome",
    "is_success": "Success",
    "user": "User",
    "metadata": "Metadata",
    "configs": "Config",
    "prompt_slug": "Prompt",
    "cache_status": "Cache",
}
"""By the analytics' name, what the field is called. Values with commas between: any of them; `metadata` is a JSON
object, or name=value with commas between, of which all must hold."""
OF_ONE: Final = {
    "trace_id": "Trace id",
    "request_id": "Request id",
}
"""Beside them, those that find single calls."""
CHOICES: Final = {"is_success": {"": "any", "true": "answered", "false": "failed"}}
_BY_LABEL: Final[Mapping[str, str]] = {
    Label.WORKSPACE: "workspace_slug",
    Label.TENANT: "tenant_id",
    Label.API_KEY: "api_key_ids",
    Label.MODEL: "ai_model",
    Label.PROVIDER: "virtual_keys",
    Label.STATUS: "status_code",
    Label.OUTCOME: "outcome",
    Label.CACHE: "cache_status",
    Label.CONFIG: "configs",
    Label.PROMPT: "prompt_slug",
}


def typed_filters(visit: Visit, names: Mapping[str, str] = FILTERS) -> dict[str, str]:
    """What stands in the address, by the filter's name; empty where it does not filter."""
    return {name: visit.query.get(name, "").strip() for name in names}


def asked_by(typed: Mapping[str, str]) -> dict[str, str]:
    """The same as filters of `analytics`."""
    asked = {name: text for name, text in typed.items() if text}
    if (text := asked.get("metadata", "")) and not text.startswith("{"):
        pairs = [each.partition("=") for each in text.split(",")]
        asked["metadata"] = json.dumps({name.strip(): value.strip() for name, _, value in pairs})
    return asked


def calls_with(label: str, value: str, typed: Mapping[str, str]) -> dict[str, str] | None:
    """What stands in the address of those calls among the filtered ones that have this label. None: no filter says
    so, as for those that have none."""
    if not value:
        return None
    same = {name: text for name, text in typed.items() if text}
    if label in _BY_LABEL:
        return None if "," in value else {**same, _BY_LABEL[label]: value}
    name = "_user" if label == Label.USER else label.removeprefix(METADATA)
    held: dict[str, str] = json.loads(asked_by(same).get("metadata", "{}"))
    return {**same, "metadata": json.dumps({**held, name: value}, ensure_ascii=False)}
