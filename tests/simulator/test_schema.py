"""Minimal values for schemas."""

from typing import Any

import jsonschema
import pytest

from headgate.simulator.schema import example

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]},
    {"type": "object", "properties": {"unit": {"enum": ["C", "F"]}}},
    {"type": "array", "items": {"type": "number", "minimum": 7}, "minItems": 2},
    {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    {"type": ["string", "null"], "minLength": 9},
    {"type": "object", "properties": {"inner": {"type": "object", "properties": {"kind": {"const": "x"}}}}},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
@pytest.mark.parametrize("variant", [0, 1])
def test_an_example_is_valid_for_its_schema(schema: dict[str, Any], variant: int) -> None:
    """Structured answers and tool arguments are what the schema asks for."""
    jsonschema.validate(example(schema, variant), schema)


def test_variants_differ_where_the_schema_lets_them() -> None:
    """Two parallel calls of one tool can be told apart."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    assert example(schema, 0) != example(schema, 1)


def test_endless_nesting_ends() -> None:
    """A schema that contains itself does not hang the simulator."""
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    schema["properties"]["again"] = schema
    assert isinstance(example(schema), dict)
