"""The OpenAPI document, to hold answers against."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from headgate.controlplane.app import routed

Operation = tuple[str, Mapping[str, Any]]
MOST = 5
"""Items of a list that are looked at."""


def document() -> Any:
    """A copy of one's own."""
    return json.loads(_written())


@cache
def _written() -> str:
    return json.dumps(routed().openapi())


def operations(whole: Any) -> Iterator[Operation]:
    """Each by its method and path: `GET /v1/api-keys`."""
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def resolved(whole: Any, part: Any) -> Any:
    """What a reference leads to; everything else as it is."""
    while "$ref" in part:
        found = whole
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def wrong(whole: Any, schema: Any, value: Any) -> list[str]:
    """What of the value is not as the schema says."""
    validator = Draft202012Validator({**schema, "components": whole["components"]})
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


def refuse_undeclared(method: str, path: str, status: int, body: bytes) -> None:
    """Raises `AssertionError` for an answer that the document does not know: its status, or what is in it."""
    for pattern, name, responses in _answers():
        if name.startswith(f"{method} ") and pattern.fullmatch(path.partition("?")[0].removeprefix("/v1")):
            assert str(status) in responses, f"{name} answers {status}, which the document does not know: {body!r}"
            validator = responses[str(status)]
            found = [] if validator is None else list(validator.iter_errors(_shortened(json.loads(body))))
            assert not found, f"{name} {status}: {[f'{each.json_path}: {each.message[:300]}' for each in found]}"
            return


@cache
def _answers() -> list[tuple[re.Pattern[str], str, Mapping[str, Any]]]:
    """Of each operation: what its paths look like, its name, and by status what holds its answers."""
    whole = document()
    closed(whole)
    found = []
    for name, operation in operations(whole):
        path = name.partition("/v1")[2]
        # Those whose last part may hold slashes are matched after those that name a path of their own.
        pattern = re.compile(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(path)))
        validators = {
            status: _validator(whole, resolved(whole, each)) for status, each in operation["responses"].items()
        }
        found.append((pattern, name, validators))
    return sorted(found, key=lambda each: each[1].count("{"))


def closed(whole: Any) -> None:
    """The schemas leave room for what is to come; there must be nothing in it now."""
    for schema in whole["components"]["schemas"].values():
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)


def _validator(whole: Any, response: Any) -> Any:
    schema = response["content"].get("application/json", {}).get("schema")
    return None if schema is None else Draft202012Validator({**schema, "components": whole["components"]})


def _shortened(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: each[:MOST] if isinstance(each, list) else each for name, each in answer.items()}
    return answer
