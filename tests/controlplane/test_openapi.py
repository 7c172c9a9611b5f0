"""`/openapi.json`: everything is in it, and what is in it is so."""

import re
from typing import Any

import pytest

from headgate.controlplane.app import ROUTERS
from headgate.controlplane.openapi.answers import ANSWERS
from headgate.controlplane.openapi.errors import MEANINGS, component
from headgate.controlplane.openapi.examples import examples
from tests.support.administration import World
from tests.support.openapi import closed, document, operations, resolved, wrong
from tests.support.routes import routes


@pytest.fixture(name="document")
def the_document() -> Any:
    return document()


def test_every_route_is_in_it(document: Any) -> None:
    """Once, under `/v1`, with a name, a tag, a sentence, and a path that is what the code has."""
    found = dict(operations(document))
    assert {str(route).replace(":path", "") for route in routes()} == {name.replace(" /v1", " ") for name in found}
    identifiers = [operation["operationId"] for operation in found.values()]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", each) for each in identifiers), identifiers
    poor = [name for name, each in found.items() if not (each["tags"] and each["summary"] and each["description"])]
    assert not poor
    assert {router.tags[0] for router in ROUTERS} == {tag for each in found.values() for tag in each["tags"]}


def test_every_example_is_what_its_schema_says(document: Any) -> None:
    """Of every body that is taken, and of every answer: success and refusal."""
    found = []
    for name, operation in operations(document):
        parts = [("response 200", operation["responses"]["200"])]
        parts += [("body", operation["requestBody"])] if "requestBody" in operation else []
        parts += [(status, each) for status, each in operation["responses"].items() if status != "200"]
        for what, part in parts:
            for kind, content in resolved(document, part)["content"].items():
                if kind == "application/json":
                    found += [f"{name} {what}: {why}" for why in wrong(document, content["schema"], content["example"])]
    assert not found


def test_an_answer_has_no_field_that_is_not_declared(document: Any) -> None:
    """The schemas leave room for what is to come; there is nothing in it now."""
    closed(document)
    found = []
    for name, operation in operations(document):
        for kind, content in operation["responses"]["200"]["content"].items():
            if kind == "application/json":
                found += [f"{name}: {why}" for why in wrong(document, content["schema"], content["example"])]
    assert not found


def test_every_operation_says_how_it_refuses(document: Any) -> None:
    """By the shared components, which have one schema; nothing else beside them."""
    shared = {component(status): status for status in MEANINGS}
    schemas = set()
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status == "200":
                continue
            assert shared[response["$ref"].rpartition("/")[2]] == int(status), name
            schemas.add(resolved(document, response)["content"]["application/json"]["schema"]["$ref"])
        assert {"400", "503"} <= operation["responses"].keys(), name
    assert schemas == {"#/components/schemas/Error"}


async def test_the_credential_is_declared(world: World, document: Any) -> None:
    """For all but the few that are open to those who have a token or a signed link; the document itself is open."""
    assert await world.ok("GET", "/openapi.json", key="") == document
    assert document["security"] == [{"apiKey": []}, {"bearer": []}]
    assert set(document["components"]["securitySchemes"]) == {"apiKey", "bearer"}
    open_ones = {str(route).replace(":path", "") for route in routes() if route.open}
    assert open_ones == {name.replace("/v1", "") for name, each in operations(document) if each.get("security") == []}


async def test_statuses_that_can_be_provoked_are_answered(world: World, document: Any) -> None:
    """What is declared can happen: without a key 401, without a scope 403, without the object 404, with a body that is
    none 400, with an idempotency key that was used 422; and where it is not declared it does not."""
    asked = {"name": "k", "workspace_id": "default", "scopes": ["prompts.publish"]}
    powerless = await world.ok("POST", "/v1/api-keys/workspace/service", asked)
    for name, operation in operations(document):
        method, _, path = name.partition(" ")
        url = re.sub(r"\{[^}]+\}", "absent", path)
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        for status, key in (("401", ""), ("403", powerless["key"])):
            reply = await world.call(method, url, body, key=key)
            assert (reply.status == int(status)) == (status in operation["responses"]), (name, status, reply.body)
        if body is not None:
            assert (await world.call(method, url, b"{")).status == 400, name
        if method == "POST" and "401" in operation["responses"]:
            assert "422" in operation["responses"], name


def test_every_answer_is_declared() -> None:
    """And nothing that no route answers. Where this fails: add the shape to `openapi.answers`."""
    assert set(ANSWERS) == {str(route).replace(":path", "") for route in routes()}


def test_every_operation_has_an_example() -> None:
    """Where this fails: have `tests.controlplane.record_examples` call it, and run that."""
    assert set(examples()) == {str(route).replace(":path", "") for route in routes()}
