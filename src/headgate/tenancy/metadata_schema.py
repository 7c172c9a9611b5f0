"""What the metadata of API keys and workspaces must be: a JSON schema (draft 7) that an administrator writes.

A schema describes an object of strings that may always hold more than it names. It stands alone (no `$ref`: nothing is
fetched, nothing recurs), is bounded in size and depth, and its patterns are matched in linear time, so that checking a
key's metadata can neither leave the machine nor hang it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft7Validator, FormatChecker, ValidationError, validators
from jsonschema.exceptions import SchemaError, best_match

from headgate.base.errors import InvalidRequest
from headgate.tenancy import rules
from headgate.tenancy.checks.pattern import compiled, pattern

Schema = Mapping[str, Any]

LARGEST: Final = 32 * 1024
"""Characters of a schema, as JSON."""
DEEPEST: Final = 16
REFUSED: Final = {
    "$ref": "it stands alone",
    "$id": "it stands alone",
    "patternProperties": "name each property under `properties`",
}
"""Keywords, and what to do without them."""
FORMATS: Final = FormatChecker(formats=("email", "ipv4", "ipv6", "date"))
"""The values of `format` that are enforced; others say something to readers only."""


def metadata_schema(value: object, param: str) -> dict[str, Any] | None:
    """Read from a request; None takes the schema away. Raises `InvalidRequest` naming what is wrong with it."""
    if value is None:
        return None
    value = rules.document(value, param, LARGEST)
    _refuse_unbounded(value, param)
    if value.get("type") != "object":
        raise InvalidRequest(f'`{param}.type` must be "object".', param=f"{param}.type")
    if value.get("additionalProperties", True) is not True:
        raise InvalidRequest(
            f"`{param}.additionalProperties` must be true or left out: metadata may always hold more.",
            param=f"{param}.additionalProperties",
        )
    try:
        Draft7Validator.check_schema(value, format_checker=FormatChecker(formats=()))
    except SchemaError as error:
        at = ".".join([param, *map(str, error.absolute_path)])
        raise InvalidRequest(f"`{at}` is not what JSON Schema (draft 7) has there: {error.message}", param=at) from None
    for name, rule in value.get("properties", {}).items():
        _check_property(name, rule, f"{param}.properties.{name}")
    return value


def applied(schema: Schema | None, metadata: Mapping[str, str], param: str) -> dict[str, str]:
    """The metadata with the schema's defaults where it says nothing. Raises `InvalidRequest` naming the key at fault.

    `param` is what an error calls the metadata: `defaults.metadata`.
    """
    if schema is None:
        return dict(metadata)
    properties = schema.get("properties", {})
    defaults = {
        name: rule["default"] for name, rule in properties.items() if isinstance(rule, dict) and "default" in rule
    }
    found = defaults | dict(metadata)
    _refuse(schema, found, param)
    return found


def permitted(schema: Schema | None, metadata: Mapping[str, str], param: str) -> None:
    """For metadata that lies over that of keys and need not say all of it: what it says must be allowed."""
    if schema is not None:
        _refuse({**schema, "required": []}, metadata, param)


def _refuse(schema: Schema, metadata: Mapping[str, str], param: str) -> None:
    error = best_match(_validator(json.dumps(schema, sort_keys=True)).iter_errors(dict(metadata)))
    if error is None:
        return
    if error.validator == "required":
        missing = next((name for name in error.validator_value if name not in metadata), "")
        at, why = f"{param}.{missing}", "is missing"
    else:
        at, why = ".".join([param, *map(str, error.absolute_path)]), f"is not allowed: {error.message}"
    raise InvalidRequest(f"`{at}` {why} (the organisation's metadata schema requires it).", param=at)


def _check_property(name: str, rule: object, at: str) -> None:
    if not isinstance(rule, Mapping):
        raise InvalidRequest(f"`{at}` must be an object.", param=at)
    if rule.get("type", "string") != "string":
        raise InvalidRequest(f'`{at}.type` must be "string": metadata is text.', param=f"{at}.type")
    if "default" in rule:
        default = rules.metadata({name: rule["default"]}, at)[name]
        if default != rule["default"]:
            raise InvalidRequest(f"`{at}.default` must be a string.", param=f"{at}.default")
        permitted({"type": "object", "properties": {name: rule}}, {name: default}, f"{at}.default")


def _refuse_unbounded(value: object, param: str) -> None:
    """Goes through the schema level by level: a deep one must not exhaust the stack of those who read it after."""
    level, depth = [(value, param)], 0
    while level:
        if depth > DEEPEST:
            raise InvalidRequest(f"`{param}` is nested more than {DEEPEST} deep.", param=param)
        level, depth = [inner for each, at in level for inner in _inside(each, at)], depth + 1


def _inside(value: object, at: str) -> Iterator[tuple[object, str]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name in REFUSED:
                why = f"`{at}.{name}` does not go into a metadata schema: {REFUSED[name]}."
                raise InvalidRequest(why, param=f"{at}.{name}")
            if name == "pattern" and isinstance(each, str):
                pattern(each, f"{at}.{name}")
            yield each, f"{at}.{name}"
    elif isinstance(value, list):
        yield from ((each, f"{at}[{index}]") for index, each in enumerate(value))


def _pattern(validator: Any, text: str, instance: object, schema: Schema) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not compiled(text).found_in(instance):
        yield ValidationError(f"{instance!r} does not match {text!r}")


_Validator: Final[Callable[..., Any]] = validators.extend(Draft7Validator, {"pattern": _pattern})


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    return _Validator(json.loads(schema), format_checker=FORMATS)
