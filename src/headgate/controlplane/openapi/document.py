"""The document: what the framework knows of the routes, with answers, refusals, examples and names put in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from headgate.controlplane.caller import OpenTo
from headgate.controlplane.openapi import errors
from headgate.controlplane.openapi.answers import ANSWERS
from headgate.controlplane.openapi.examples import Example, examples
from headgate.controlplane.openapi.shape import Done, Listed, Page, Shape

PREFIX: Final = "/v1"
REF: Final = "#/components/schemas/{model}"
DESCRIPTION: Final = """Administration of Headgate: organisation, workspaces, tenants, keys, models, limits, usage.

Every path is also served without `/v1`. Answers are JSON objects with status 200. Calls to models are not part of this
document: they follow the formats of OpenAI, Anthropic and others. Before a request comes as far as this, its connection
may be refused for what it is: 400, 408, 411, 413, 431.
"""
SECURITY: Final = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-portkey-api-key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key is carried out once, and answered again for a day.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}


NO_EXAMPLE: Final[Example] = {"path": {}, "query": {}, "request": None, "response": None}


def operation_id(route: APIRoute) -> str:
    """`workspaces_create`: what it is about and what it does."""
    return re.sub(r"\W+", "_", f"{route.tags[0]}_{route.name}").lower()


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Have the application, which has these routers, answer with the whole document, made at first use."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(document(app, routers))
        return made

    app.openapi = openapi  # type: ignore[method-assign]


def document(app: FastAPI, routers: Sequence[APIRouter]) -> dict[str, Any]:
    """An operation that `ANSWERS` or the examples leave out is in it all the same; a test says which it is."""
    whole = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    schemas = whole["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    shown = _schemas()
    assert not shown.keys() & schemas.keys(), "a body and an answer of one name"
    schemas |= shown
    whole["components"]["responses"] = errors.responses(REF.format(model=errors.Error.__name__))
    whole["components"]["securitySchemes"] = SECURITY
    whole["security"] = [{name: []} for name in SECURITY]
    for route, method, path, operation in _operations(routers, whole):
        _describe(route, method, path, operation, schemas)
    return whole


def _schemas() -> dict[str, Any]:
    """Of all that is answered, by name."""
    shown: list[type[Shape]] = [errors.Error]
    shown += [each.of for each in ANSWERS.values() if isinstance(each, Listed)]
    shown += [each for each in ANSWERS.values() if isinstance(each, type)]
    _, defined = models_json_schema([(each, "serialization") for each in dict.fromkeys(shown)], ref_template=REF)
    found: dict[str, Any] = defined["$defs"]
    return found


def _operations(
    routers: Sequence[APIRouter], whole: Mapping[str, Any]
) -> Iterator[tuple[APIRoute, str, str, dict[str, Any]]]:
    """Each with its path as the document has it, without the prefix."""
    for route in (each for router in routers for each in router.routes):
        assert isinstance(route, APIRoute)
        for method in sorted(route.methods or ()):
            path = route.path_format
            yield route, method, path, whole["paths"][PREFIX + path][method.lower()]


def _describe(route: APIRoute, method: str, path: str, operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    example = examples().get(f"{method} {path}", NO_EXAMPLE)
    operation["summary"] = operation["description"].partition(". ")[0].removesuffix(".").replace("\n", " ")
    if any(isinstance(each.call, OpenTo) for each in route.dependant.dependencies):
        operation["security"] = []
    for parameter in operation.get("parameters", ()):
        _plain(parameter, example)
    named: frozenset[str] = frozenset()
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        content["example"] = example["request"]
        named = frozenset(_fields(content["schema"], schemas))
    if method == "POST" and "security" not in operation:
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    operation["responses"] = {"200": _answer(ANSWERS.get(f"{method} {path}", Done), example)} | {
        str(status): {"$ref": f"#/components/responses/{errors.component(status)}"}
        for status in errors.statuses(route, method, operation, named)
    }


def _plain(parameter: dict[str, Any], example: Example) -> None:
    """A parameter that is absent is not null: there is no null in a URL."""
    schema = parameter["schema"]
    choices = [each for each in schema.pop("anyOf", ()) if each.get("type") != "null"]
    for each in choices:
        schema.update(each)
    for place in ("path", "query"):
        if parameter["in"] == place and parameter["name"] in example[place]:
            parameter["example"] = example[place][parameter["name"]]


def _answer(shape: type[Shape] | Listed | None, example: Example) -> dict[str, Any]:
    if shape is None:
        text = {"schema": {"type": "string"}}
        return {"description": "The file, as it was asked for.", "content": dict.fromkeys(_FILES, text)}
    if isinstance(shape, Listed):
        items = {"$ref": REF.format(model=shape.of.__name__)}
        schema: dict[str, Any] = Page.model_json_schema()
        schema["properties"]["data"] = {"type": "array", "items": items}
        schema["title"] = f"List of {shape.of.__name__}"
    else:
        schema = {"$ref": REF.format(model=shape.__name__)}
    content = {"application/json": {"schema": schema, "example": example["response"]}}
    return {"description": "It is done, or shown.", "content": content}


_FILES: Final = ("text/csv", "application/x-ndjson")


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    """The names of a body's own fields."""
    if "$ref" in schema:
        yield from _fields(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _fields(each, schemas)
    yield from schema.get("properties", ())
