"""Hostile text in every place that takes text: parameters in paths and queries, headers, every text and name in a body.

What there is to fill is generated from the OpenAPI document. Nothing is executed, nothing comes back but as data, no
answer is a failure of the server, and other objects stay as they are.
"""

import asyncio
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from tests.support.administration import World
from tests.support.openapi import document, operations
from tests.support.routes import PLAIN, QUERIES, Route, filled, furnish, routes, sample

CORPORA: Mapping[str, Sequence[str]] = {
    "sql": (
        "' OR '1'='1",
        "x'; DROP TABLE workspace; --",
        "' UNION SELECT id, hash, 1 FROM api_key --",
        "\\'; UPDATE api_key SET revoked_at = 1; --",
        "%' ESCAPE '_",
        "1; SELECT pg_sleep(10)",
    ),
    "header": ("a\r\nx-injected: 1", "a\nset-cookie: x=1\n\n<html>", "a%0d%0ax-injected:%201", "\x00\x1f\x7f"),
    "json": (
        '"}, {"role": "owner", "x": "',
        '\\u0022, "admin": true, "\\',
        "\ud800 half a pair",
        "1e999",
        "[" * 2_000,
        '{"$ref": "file:///etc/passwd"}',
    ),
    "markup": (
        "<script>alert(1)</script>",
        "\"><img src=x onerror='alert(1)'>",
        "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
        "=cmd|' /C calc'!A0",
    ),
    "path": ("../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "//evil.example/x", "C:\\..\\x", ".", "?a=b#c"),
    "command": ("$(touch {marker})", "`touch {marker}`", "; touch {marker} #", "{0.__class__.__mro__}", "%s%n%x"),
    "size": ("A" * 70_000, "é" * 5_000, "\u202egnp.exe", "𝔊" * 300),
}
EACH = 2
"""How many of a corpus each place gets in the short run; all of them are used, each somewhere else."""
DEEP = (50, 900, 20_000)
"""How deep documents are nested that come where any document may stand."""
HEADERS = ("idempotency-key", "x-portkey-trace-id", "user-agent", "x-forwarded-for", "x-portkey-metadata", "accept")


def bodies(route: Route, hostile: str) -> Iterator[Any]:
    """The sample with this text in place of each text within it, and as another name in each object; and each text
    field that the sample does not have."""
    whole = sample(route)
    if whole is None or route.body is None:
        return
    yield from replaced(dict(whole), hostile)
    for name, schema in route.body.model_json_schema()["properties"].items():
        if name not in whole and "string" in json.dumps(schema):
            yield {**whole, name: hostile}


def replaced(value: Any, hostile: str) -> Iterator[Any]:
    if isinstance(value, str):
        yield hostile
    elif isinstance(value, dict):
        yield {**value, hostile: hostile}
        for name, each in value.items():
            yield from ({**value, name: other} for other in replaced(each, hostile))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from ([*value[:index], other, *value[index + 1 :]] for other in replaced(each, hostile))


def asked(route: Route, objects: Mapping[str, str], hostile: str) -> Iterator[tuple[str, Any]]:
    """Paths with their queries, and bodies, each with the text in one place."""
    plain = filled(route.path, objects) + QUERIES.get(str(route), "")
    text_in_url = quote(hostile.encode("utf-8", "surrogatepass"), safe="")
    for match in re.finditer(r"\{[^}]+\}", route.path):
        at = route.path[: match.end()]
        known = {**objects, at: text_in_url}
        if at not in PLAIN:
            yield filled(route.path, known), sample(route)
        else:
            yield filled(route.path, objects).replace(PLAIN[at], text_in_url), sample(route)
    for name in QUERY[str(route)]:
        yield f"{plain}{'&' if '?' in plain else '?'}{name}={text_in_url}", sample(route)
    for body in bodies(route, hostile):
        yield plain, body


def parameters() -> dict[str, list[str]]:
    whole = document()
    return {
        name.replace(" /v1", " "): [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
        for name, operation in operations(whole)
    }


QUERY = {str(route): parameters()[str(route).replace(":path", "")] for route in routes()}


async def state(world: World, objects: Mapping[str, str]) -> list[Any]:
    """A bystander's objects, as their administrator sees them."""
    readable = [route for route in routes() if route.method == "GET" and route.objects and "/logs" not in route.path]
    return [await world.ok("GET", filled(route.path, objects)) for route in readable]


async def tables(world: World) -> list[str]:
    query = text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
    return await world.database.read(lambda connection: list(connection.execute(query).scalars()))


async def survive(world: World, corpus: str, marker: Path, each: int | None) -> int:
    """Every place gets so many of the corpus, or all; how many requests there were."""
    objects, bystander = await furnish(world, "mine"), await furnish(world, "other")
    before, schema = await state(world, bystander), await tables(world)
    turns = itertools.cycle(CORPORA[corpus])
    count = 0
    for route in routes():
        for _ in range(each or len(CORPORA[corpus])):
            hostile = next(turns).replace("{marker}", str(marker))
            for path, body in asked(route, objects, hostile):
                # The hook of `World.call` refuses what the document does not know: 500 is nowhere in it.
                reply = await world.call(route.method, path, body)
                count += 1
                assert reply.status < 500, (route, path, body, reply.body)
                assert "x-injected" not in reply.headers, (route, path, body)
                assert reply.headers["x-content-type-options"] == "nosniff"
                assert not any("\r" in value or "\n" in value for value in reply.headers.values())
                if not reply.headers["content-type"].startswith(("text/csv", "application/x-ndjson")):
                    assert reply.headers["content-type"] == "application/json"
                    json.loads(reply.body)
    assert await state(world, bystander) == before
    assert await tables(world) == schema
    assert not await asyncio.to_thread(marker.exists)
    return count


@pytest.mark.parametrize("corpus", CORPORA)
async def test_hostile_text_is_only_text(world: World, tmp_path: Path, corpus: str) -> None:
    """Everywhere, some of each corpus."""
    assert await survive(world, corpus, tmp_path / "marker", EACH) > 500


@pytest.mark.slow
@pytest.mark.parametrize("corpus", CORPORA)
async def test_all_hostile_text_everywhere(world: World, tmp_path: Path, corpus: str) -> None:
    """Each text of each corpus in each place."""
    assert await survive(world, corpus, tmp_path / "marker", None) > 500


@pytest.mark.parametrize("header", HEADERS)
async def test_hostile_headers_are_only_text(world: World, tmp_path: Path, header: str) -> None:
    """What no header can hold is not tried. Whatever comes back in a header is visible ASCII on one line."""
    for number, hostile in enumerate(itertools.chain(*CORPORA.values())):
        value = hostile.replace("{marker}", str(tmp_path / "marker")).replace("\r", " ").replace("\n", " ")
        if not value.isprintable() or not all(ord(character) < 256 for character in value):
            continue
        for method, path, body in (
            ("GET", "/v1/admin/workspaces", None),
            ("POST", "/v1/admin/workspaces", {"name": f"w {number}"}),
        ):
            reply = await world.call(method, path, body, headers={header: value})
            assert reply.status < 500
            assert all(each.isascii() and each.isprintable() for each in reply.headers.values()), reply.headers
    assert not await asyncio.to_thread((tmp_path / "marker").exists)


@pytest.mark.parametrize("depth", DEEP)
async def test_a_document_may_be_deep(world: World, depth: int) -> None:
    """Wherever a body takes an object or a list: it is refused, or taken and shown again."""
    objects = await furnish(world, "mine")
    for route in routes():
        if route.body is None:
            continue
        for name, schema in route.body.model_json_schema()["properties"].items():
            for kind, (left, right) in {"object": ('{"a":', "}"), "array": ("[", "]")}.items():
                if f'"{kind}"' in json.dumps(schema):
                    plain = json.dumps({**(sample(route) or {}), name: None})
                    deep = f"{left * depth}1{right * depth}"
                    hostile = plain.replace(f'"{name}": null', f'"{name}": {deep}', 1).encode()
                    reply = await world.call(route.method, filled(route.path, objects), hostile)
                    assert reply.status < 500, (route, name)
    await state(world, objects)
