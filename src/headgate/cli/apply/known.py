"""Which fields there are, by the schema of what the server takes: it ignores others, a file must not hold them."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from headgate.cli.apply.kinds import ACTS, Kind

Schema = Mapping[str, Any]


def unknown_fields(kind: Kind, fields: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """Each place within the object where a field stands that is not known, with the fields that are."""
    schema = _schema(kind)
    for name, value in fields.items():
        if name not in kind.fields:
            yield name, kind.fields
        else:
            yield from _below(schema["properties"].get(name, {}), value, name, schema.get("$defs", {}))


@cache
def _schema(kind: Kind) -> Schema:
    return kind.body.model_json_schema(mode="validation", by_alias=False)


def _below(schema: Schema, value: Any, place: str, defined: Schema) -> Iterator[tuple[str, frozenset[str]]]:
    choices = list(_choices(schema, defined))
    if isinstance(value, list):
        items = [each["items"] for each in choices if "items" in each]
        for index, each in enumerate(value):
            for item in items:
                yield from _below(item, each, f"{place}[{index}]", defined)
    elif isinstance(value, dict):
        objects = [each for each in choices if each.get("type") in ("object", ["object", "null"])]
        if not objects or any("properties" not in each for each in objects):
            return  # free to hold anything, or to be refused for its type
        known = frozenset(name for each in objects for name in each["properties"]) - ACTS | _typed(objects)
        for name, inner in value.items():
            if name not in known:
                yield f"{place}.{name}", known
            for each in objects:
                if name in each["properties"]:
                    yield from _below(each["properties"][name], inner, f"{place}.{name}", defined)


def _typed(objects: list[Schema]) -> frozenset[str]:
    """A limit's `type` is one; a key's, which cannot be changed, is none."""
    return frozenset(name for each in objects for name in each["properties"] if name == "type")


def _choices(schema: Schema, defined: Schema) -> Iterator[Schema]:
    if "$ref" in schema:
        yield from _choices(defined[schema["$ref"].rpartition("/")[2]], defined)
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _choices(each, defined)
    else:
        yield schema
