"""The smallest JSON value that fits a JSON Schema: what the simulator answers where structure is asked for."""

from typing import Any

_TEXTS = ("Oslo", "Lima")


def example(schema: Any, variant: int = 0, depth: int = 0) -> Any:
    """A value for the schema; `variant` 0 and 1 differ where the schema lets them.

    Knows what tool and output schemas use: types (also Gemini's upper-case ones), `enum`, `const`, `anyOf`, `oneOf`,
    `allOf`, required properties, items, bounds. `$ref` and what is deeper than 16 levels become an empty object.
    """
    if not isinstance(schema, dict) or depth > 16:
        return {}
    if "const" in schema:
        return schema["const"]
    if enum := schema.get("enum"):
        return enum[variant % len(enum)]
    for several in ("anyOf", "oneOf", "allOf"):
        if schema.get(several):
            return example(schema[several][0], variant, depth + 1)
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    return _of_kind(str(kind).lower(), schema, variant, depth)


def _of_kind(kind: str, schema: dict[str, Any], variant: int, depth: int) -> Any:
    match kind:
        case "string":
            text = _TEXTS[variant % len(_TEXTS)]
            return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength", len(text) + 4096)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "array":
            return [example(schema.get("items"), variant, depth + 1)] * max(1, schema.get("minItems", 1))
        case "null":
            return None
        case _:
            properties = schema.get("properties") or {}
            names = schema.get("required") or list(properties)
            return {name: example(properties.get(name), variant, depth + 1) for name in names}
