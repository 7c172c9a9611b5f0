"""The file as a JSON Schema, for editors: made of the bodies that the server takes."""

from collections.abc import Mapping
from typing import Any, Final

from headgate.cli.apply.kinds import INTEGRATIONS, KINDS, ORGANISATION, REQUIRED, Kind

_CREDENTIAL: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "The environment variable that holds it.",
    "properties": {"env": {"type": "string"}},
    "required": ["env"],
    "additionalProperties": False,
}

Schema = dict[str, Any]


def file_schema() -> Schema:
    """Draft 2020-12. What it takes may still be refused: what stands where is one thing, what it means another."""
    found: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "headgate apply",
        "type": "object",
        "additionalProperties": False,
        "properties": {},
        "$defs": {},
    }
    for kind in KINDS:
        each = _of(kind, found["$defs"])
        properties, name = _below(found["properties"], kind.section)
        properties[name] = each if kind is ORGANISATION else {"type": ["array", "null"], "items": each}
    for name in ("ModelAccess", "WorkspaceAccess"):
        found["$defs"][name]["required"].remove("enabled")  # what a file lists is meant to be on
    return found


def _below(properties: Schema, section: str) -> tuple[Schema, str]:
    """Where a section's schema belongs: `policies.usage_limits` is one of `policies`."""
    outer, dot, inner = section.partition(".")
    if not dot:
        return properties, section
    nested = properties.setdefault(outer, {"type": ["object", "null"], "additionalProperties": False, "properties": {}})
    return nested["properties"], inner


def _of(kind: Kind, defined: Schema) -> Schema:
    schema: Schema = kind.body.model_json_schema(mode="validation", by_alias=False, ref_template="#/$defs/{model}")
    defined |= schema.pop("$defs", {})
    properties = {name: schema["properties"].get(name, {}) for name in sorted(kind.fields)}
    if kind is INTEGRATIONS:
        properties["key"] = _CREDENTIAL
    required = {*schema.get("required", ()), *REQUIRED.get(kind, ())} & kind.fields
    return {
        "type": "object" if kind is not ORGANISATION else ["object", "null"],
        "description": f"One {kind.noun}.",
        "additionalProperties": False,
        "properties": properties,
        **({"required": sorted(required)} if required else {}),
    }
