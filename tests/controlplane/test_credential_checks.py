"""Whether a provider takes a stored credential: asked of a provider on this machine, and told in plain words."""

from typing import Any

import pytest

from tests.support.administration import World
from tests.support.model_lists import answer, answering, models_of_our_own

SECRET = "sk-a-very-secret-credential-1234"


async def integration(world: World, url: str, **fields: Any) -> None:
    body = {"name": "Ours", "slug": "ours", "ai_provider_id": "openai-compatible", "key": SECRET}
    await world.ok("POST", "/v1/integrations", {**body, "configurations": {"custom_host": url}, **fields})


async def test_a_credential_that_is_taken(world: World) -> None:
    """With the number of models listed; the credential and the administrator's headers went with the question."""
    asked: list[bytes] = []
    async with answering(answer(200, b'{"data":[{"id":"a"},{"id":"b"}]}'), asked) as url:
        await integration(world, url, configurations={"custom_host": url, "custom_headers": {"X-Team": "blue"}})
        told = await world.ok("POST", "/v1/integrations/ours/test")
    assert (told["outcome"], told["status"], told["models"]) == ("accepted", 200, 2)
    assert told["message"].endswith("took the credential. It lists 2 models.")
    (head,) = asked
    assert head.startswith(b"GET /v1/models HTTP/1.1\r\n")
    assert f"authorization: Bearer {SECRET}\r\n".encode() in head
    assert b"x-team: blue\r\n" in head


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (401, "refused"),
        (403, "refused"),
        (400, "refused"),
        (404, "unclear"),
        (302, "unclear"),
        (429, "unclear"),
        (503, "unclear"),
    ],
)
async def test_what_else_a_provider_answers(world: World, status: int, outcome: str) -> None:
    """Is told with its status, and without its words, in which some repeat the credential."""
    words = f"Incorrect API key provided: {SECRET}".encode()
    async with answering(answer(status, words, b"location: http://127.0.0.1:1/\r\n")) as url:
        await integration(world, url)
        reply = await world.call("POST", "/v1/integrations/ours/test")
    assert (reply.status, reply.json["outcome"], reply.json["status"]) == (200, outcome, status)
    assert SECRET.encode() not in reply.body
    assert str(status) in reply.json["message"]


async def test_a_provider_that_is_not_there(world: World) -> None:
    """Unreachable, with why; a name that nobody knows likewise."""
    async with models_of_our_own() as url:
        pass
    await integration(world, url)
    told = await world.ok("POST", "/v1/integrations/ours/test")
    assert (told["outcome"], told["status"], told["models"]) == ("unreachable", None, None)
    await world.ok("POST", "/v1/integrations", {"name": "O", "ai_provider_id": "openai", "key": SECRET, "slug": "o"})
    assert (await world.ok("POST", "/v1/integrations/o/test"))["outcome"] == "unreachable"


@pytest.mark.parametrize("body", [b"not json", b"[" * 100_000, b'{"data":7}', b'"x"', b"\xff"])
async def test_a_list_that_is_none(world: World, body: bytes) -> None:
    """The credential was taken all the same; how many models there are is not known."""
    async with answering(answer(200, body)) as url:
        await integration(world, url)
        told = await world.ok("POST", "/v1/integrations/ours/test")
    assert (told["outcome"], told["models"]) == ("accepted", None)


async def test_a_provider_with_nothing_to_ask(world: World) -> None:
    """Nothing is sent, and it is said."""
    await world.ok("POST", "/v1/integrations", {"name": "C", "ai_provider_id": "cohere", "key": SECRET, "slug": "c"})
    told = await world.ok("POST", "/v1/integrations/c/test")
    assert (told["outcome"], told["status"]) == ("unclear", None)


async def test_the_audit_log_keeps_it(world: World) -> None:
    """Who tried it and what came of it; the credential is in no entry."""
    async with models_of_our_own("m") as url:
        await integration(world, url)
        await world.ok("POST", "/v1/integrations/ours/test")
    entry = (await world.audit())[-1]
    assert (entry.action, entry.resource.partition(":")[0]) == ("test", "integration")
    assert '"accepted"' in entry.body
    assert all(SECRET not in each.body for each in await world.audit())
