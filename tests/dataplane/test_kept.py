"""What lives at the provider: whoever made it finds it, and for everybody else it is not there."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.asgi import Reply
from tests.support.stand import Stand, standing

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODEL = "@openai/sim-fast"
OPENAI = {"x-portkey-provider": "@openai"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    async with standing(tmp_path_factory.mktemp("kept")) as opened:
        for name in ("acme", "globex"):
            await opened.admin("POST", "/admin/tenants", {"tenant_id": name, "workspace_id": "default"})
        for slug in ("claude", "claude-too"):
            await opened.integrate(slug, "anthropic")
        yield opened


async def respond(stand: Stand, key: str, **more: object) -> Reply:
    reply = await stand.call(key, "/responses", {"model": MODEL, "input": "hello there", **more})
    assert reply.status == 200, reply.body
    return reply


async def upload(stand: Stand, key: str, content: bytes = b"some words", purpose: str = "user_data") -> str:
    reply = await stand.form(key, "/files", {"purpose": purpose, "file": content}, x_portkey_provider="@openai")
    assert reply.status == 200, reply.body
    return str(reply.json["id"])


async def test_a_response_is_found_by_whoever_made_it(stand: Stand) -> None:
    """Shown, its input listed, cancelled, deleted; and then it is gone. None of it is charged."""
    key = await stand.key(tenant_id="acme")
    made = (await respond(stand, key)).json
    found = await stand.call(key, f"/responses/{made['id']}", method="GET")
    assert (found.status, found.json) == (200, made)
    record = await stand.record(found)
    assert (record.endpoint, record.cost, record.usage, record.requests) == ("/v1/responses/{id}", 0, {}, 1)
    items = await stand.call(key, f"/responses/{made['id']}/input_items?limit=5", method="GET")
    assert items.json["object"] == "list"
    cancelled = await stand.call(key, f"/responses/{made['id']}/cancel")
    assert cancelled.json["status"] == "cancelled"
    deleted = await stand.call(key, f"/responses/{made['id']}", method="DELETE")
    assert deleted.json["deleted"] is True
    again = await stand.call(key, f"/responses/{made['id']}", method="GET")
    assert (again.status, again.headers["x-headgate-source"]) == (404, "gateway")


async def test_a_streamed_response_is_found_too(stand: Stand) -> None:
    """Its id is seen in the stream as it goes by."""
    key = await stand.key()
    body = (await respond(stand, key, stream=True)).body
    identifier = body.partition(b'"id":"')[2].partition(b'"')[0].decode()
    assert identifier.startswith("resp_")
    assert (await stand.call(key, f"/responses/{identifier}", method="GET")).status == 200


@pytest.mark.parametrize("verb", ["GET", "DELETE", "cancel", "input_items", "previous", "comparison"])
async def test_foreign_and_absent_responses_answer_alike(stand: Stand, verb: str) -> None:
    """Word for word but for the name that was asked for, and nothing reaches the provider."""
    identifier = (await respond(stand, await stand.key(tenant_id="acme"))).json["id"]
    strangers = [await stand.key(tenant_id="globex"), await stand.key()]
    told = []
    for key in strangers:
        for name in (identifier, "resp_00000000000000000000000000000000"):
            if verb in ("previous", "comparison"):
                body: dict[str, Any] = {"model": MODEL, "input": "and then?"}
                named = {f"{verb}_response_id": name}
                body |= named if verb == "previous" else {"prompt_cache_options": named}
                reply = await stand.call(key, "/responses", body)
            elif verb in ("GET", "DELETE"):
                reply = await stand.call(key, f"/responses/{name}", method=verb)
            else:
                method = "POST" if verb == "cancel" else "GET"
                reply = await stand.call(key, f"/responses/{name}/{verb}", method=method)
            told.append((reply.status, reply.headers["x-headgate-source"], reply.body.replace(name.encode(), b"ID")))
    assert set(told) == {told[0]}
    assert told[0][:2] == (404, "gateway")


async def test_keys_without_a_tenant_are_customers_of_their_own(stand: Stand) -> None:
    """Two keys of one workspace do not see each other's; two keys of one tenant do."""
    mine, other = await stand.key(), await stand.key()
    identifier = (await respond(stand, mine)).json["id"]
    assert (await stand.call(other, f"/responses/{identifier}", method="GET")).status == 404
    one, two = await stand.key(tenant_id="acme"), await stand.key(tenant_id="acme")
    identifier = (await respond(stand, one)).json["id"]
    assert (await stand.call(two, f"/responses/{identifier}", method="GET")).status == 200


async def test_a_conversation_goes_on_where_it_is_kept(stand: Stand) -> None:
    """Not at another provider, whose response it would not be."""
    key = await stand.key()
    identifier = (await respond(stand, key)).json["id"]
    assert (await respond(stand, key, previous_response_id=identifier)).status == 200
    body = {"model": "@custom/sim-fast", "input": "hello", "previous_response_id": identifier}
    elsewhere = await stand.call(key, "/responses", body)
    assert (elsewhere.status, elsewhere.json["error"]["code"]) == (400, "lives_elsewhere")


async def test_what_is_not_stored_is_not_noted(stand: Stand) -> None:
    """`store` false: the provider forgets it, and so do we."""
    key = await stand.key()
    identifier = (await respond(stand, key, store=False)).json["id"]
    assert (await stand.call(key, f"/responses/{identifier}", method="GET")).headers["x-headgate-source"] == "gateway"


async def test_a_response_in_the_background_is_charged_as_held(stand: Stand) -> None:
    """It goes on when the call is over: what it will use is not known then, and it is never free."""
    await stand.price("sim-no-usage", request_token=0.001, response_token=0.01)
    body = {"model": "@openai/sim-no-usage", "input": "hello", "max_output_tokens": 5_000, "background": True}
    record = await stand.record(await stand.call(await stand.key(), "/responses", body))
    assert (record.usage_source, record.usage["output"]) == ("estimated", 5_000)


THREAD = {"model": "@claude/sim-fast", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_thread_goes_on_for_whoever_began_it(stand: Stand, stream: bool) -> None:
    """Anthropic names it by its last message. For others it is not there, in the words that make Anthropic's SDK begin
    another; nor at another provider."""
    key = await stand.key(tenant_id="acme")
    begun = await stand.call(key, "/messages", THREAD | {"thread": {"type": "create"}, "stream": stream})
    name = begun.body.partition(b'"id":"')[2].partition(b'"')[0].decode()
    assert name.startswith("msg_")
    thread = {"type": "continue", "previous_message_id": name}
    goes_on = await stand.call(key, "/messages", THREAD | {"thread": thread})
    assert goes_on.status == 200
    for stranger in (await stand.key(tenant_id="globex"), await stand.key()):
        refused = await stand.call(stranger, "/messages", THREAD | {"thread": thread})
        assert (refused.status, refused.headers["x-headgate-source"]) == (404, "gateway")
        assert refused.json["error"]["details"] == {"error_code": "thread_not_found"}
    elsewhere = await stand.call(key, "/messages", THREAD | {"model": "@claude-too/sim-fast", "thread": thread})
    assert (elsewhere.status, elsewhere.json["error"]["code"]) == (400, "lives_elsewhere")
    assert elsewhere.json["error"]["details"] == {"error_code": "thread_not_found"}


async def test_what_is_no_thread_is_not_noted(stand: Stand) -> None:
    """A message that Anthropic keeps nothing of cannot be gone on from."""
    key = await stand.key()
    made = (await stand.call(key, "/messages", THREAD)).json
    thread = {"type": "continue", "previous_message_id": made["id"]}
    assert (await stand.call(key, "/messages", THREAD | {"thread": thread})).status == 404


async def test_a_message_that_another_is_compared_with_is_the_callers_own(stand: Stand) -> None:
    """Anthropic's `diagnostics`: begun with null, then with the message before."""
    key = await stand.key(tenant_id="acme")
    first = await stand.call(key, "/messages", THREAD | {"diagnostics": {"previous_message_id": None}})
    then = THREAD | {"diagnostics": {"previous_message_id": first.json["id"]}}
    assert (await stand.call(key, "/messages", then)).status == 200
    refused = await stand.call(await stand.key(tenant_id="globex"), "/messages", then)
    assert (refused.status, refused.headers["x-headgate-source"]) == (404, "gateway")


def tool(**members: object) -> dict[str, object]:
    return {"tools": [members]}


NAMED: dict[str, tuple[str, dict[str, object]]] = {
    "conversation": ("/responses", {"conversation": "conv_1"}),
    "conversation object": ("/responses", {"conversation": {"id": "conv_1"}}),
    "prompt": ("/responses", {"prompt": {"id": "pmpt_1"}}),
    "vector store": ("/responses", tool(type="file_search", vector_store_ids=["vs_1"])),
    "container": ("/responses", tool(type="code_interpreter", container="cntr_1")),
    "file": ("/responses", tool(type="code_interpreter", container={"type": "auto", "file_ids": ["file_1"]})),
    "mask": ("/responses", tool(type="image_generation", input_image_mask={"file_id": "file_1"})),
    "shell": ("/responses", tool(type="shell", environment={"type": "container_reference", "container_id": "cntr_1"})),
    "skill": ("/responses", tool(type="shell", environment={"skills": [{"skill_id": "skill_1"}]})),
    "loaded tool": (
        "/responses",
        {"input": [{"type": "tool_search_output", **tool(type="file_search", vector_store_ids=["vs_1"])}]},
    ),
    "cached content": ("/chat/completions", {"cached_content": "cachedContents/1"}),
    "anthropic container": ("/messages", {"container": "container_1"}),
    "anthropic container object": ("/messages", {"container": {"id": "container_1"}}),
    "anthropic skill": ("/messages", {"container": {"skills": [{"type": "custom", "skill_id": "skill_1"}]}}),
    "nested picture": (
        "/messages",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "document",
                            "source": {
                                "type": "content",
                                "content": [{"type": "image", "source": {"type": "file", "file_id": "file_1"}}],
                            },
                        }
                    ],
                }
            ]
        },
    ),
}


@pytest.mark.parametrize("where", NAMED)
async def test_what_nobody_made_here_is_nobodys(stand: Stand, where: str) -> None:
    """What a request can name that lives in the account which all customers share."""
    path, more = NAMED[where]
    bodies: dict[str, dict[str, Any]] = {
        "/responses": {"model": MODEL, "input": "hello"},
        "/messages": THREAD,
        "/chat/completions": {"model": MODEL, "messages": THREAD["messages"]},
    }
    refused = await stand.call(await stand.key(), path, bodies[path] | more)
    assert (refused.status, refused.headers["x-headgate-source"]) == (404, "gateway"), refused.body


async def test_skills_of_the_provider_are_everybodys(stand: Stand) -> None:
    """They are no customer's."""
    container = {"skills": [{"type": "anthropic", "skill_id": "pptx", "version": "latest"}]}
    assert (await stand.call(await stand.key(), "/messages", THREAD | {"container": container})).status == 200


@pytest.mark.parametrize("path", ["/responses/compact", "/responses/input_tokens"])
async def test_what_looks_like_a_response_but_is_an_endpoint_is_not_there(stand: Stand, path: str) -> None:
    """As every other endpoint that is not offered: no word of methods that would not help."""
    reply = await stand.call(await stand.key(), path, {"model": MODEL, "input": "hello"})
    unknown = await stand.call(await stand.key(), "/conversations", {})
    assert (reply.status, reply.json["error"]["type"]) == (unknown.status, unknown.json["error"]["type"])
    assert reply.status == 404


async def test_files(stand: Stand) -> None:
    """Sent as they came, listed from our own books, read back byte for byte, deleted."""
    key, other = await stand.key(tenant_id="acme"), await stand.key(tenant_id="globex")
    content = bytes(range(256)) * 400
    first = await upload(stand, key, content)
    second = await upload(stand, key, b"{}", purpose="batch")
    foreign = await upload(stand, other)
    listed = (await stand.call(key, "/files", method="GET")).json
    assert {each["id"] for each in listed["data"]} == {first, second}
    assert listed["has_more"] is False
    page = (await stand.call(key, "/files?limit=1", method="GET")).json
    assert (len(page["data"]), page["has_more"]) == (1, True)
    rest = (await stand.call(key, f"/files?after={page['last_id']}", method="GET")).json
    assert {page["data"][0]["id"], rest["data"][0]["id"]} == {first, second}
    batches = (await stand.call(key, "/files?purpose=batch", method="GET")).json
    assert [each["id"] for each in batches["data"]] == [second]
    assert (await stand.call(key, f"/files/{first}", method="GET")).json["bytes"] == len(content)
    read = await stand.call(key, f"/files/{first}/content", method="GET")
    assert (read.body, read.headers["content-type"]) == (content, "application/octet-stream")
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        refused = await stand.call(key, f"/files/{foreign}{path}", method=method)
        assert (refused.status, refused.headers["x-headgate-source"]) == (404, "gateway")
    assert (await stand.call(key, f"/files/{first}", method="DELETE")).json["deleted"] is True
    assert (await stand.call(key, f"/files/{first}", method="GET")).status == 404


async def test_a_file_is_for_a_provider(stand: Stand) -> None:
    """Where several keep files, the caller says which."""
    reply = await stand.form(await stand.key(), "/files", {"purpose": "user_data", "file": b"x"})
    assert (reply.status, reply.json["error"]["param"]) == (400, "x-portkey-provider")


PARTS: dict[str, tuple[str, Any]] = {
    "chat": ("/chat/completions", lambda f: {"messages": [{"role": "user", "content": [{"type": "file", "file": f}]}]}),
    "responses": ("/responses", lambda f: {"input": [{"role": "user", "content": [{"type": "input_file", **f}]}]}),
    "pictures": ("/responses", lambda f: {"input": [{"role": "user", "content": [{"type": "input_image", **f}]}]}),
}


@pytest.mark.parametrize("where", PARTS)
async def test_files_in_requests_are_the_callers_own(stand: Stand, where: str) -> None:
    """In every place where a request can name one."""
    path, body = PARTS[where]
    key, other = await stand.key(tenant_id="acme"), await stand.key(tenant_id="globex")
    identifier = await upload(stand, key)
    request = {"model": MODEL, **body({"file_id": identifier})}
    assert (await stand.call(key, path, request)).status == 200
    refused = await stand.call(other, path, request)
    assert (refused.status, refused.json["error"]["type"]) == (404, "not_found_error")


async def test_requests_are_counted(stand: Stand) -> None:
    """A request limit is for these calls too."""
    key = await stand.key(rate_limits=[{"type": "requests", "unit": "rph", "value": 2}])
    identifier = (await respond(stand, key)).json["id"]
    assert (await stand.call(key, f"/responses/{identifier}", method="GET")).status == 200
    assert (await stand.call(key, f"/responses/{identifier}", method="GET")).status == 429


async def test_what_a_path_takes_is_said(stand: Stand) -> None:
    """Of a path with several methods, all of them."""
    reply = await stand.call(await stand.key(), "/files/file-1", method="PUT")
    assert (reply.status, reply.json["error"]["message"]) == (405, "`/v1/files/file-1` takes GET and DELETE.")


SILENT: dict[str, object] = {"id": "default.characterCount", "parameters": {"minCharacters": 0, "maxCharacters": 0}}


async def guard(stand: Stand, key_id: str, deny: bool) -> None:
    """Answers of calls with this key are to say nothing at all."""
    body = {"name": f"silent {deny}", "checks": [SILENT], "actions": {"deny": deny}}
    made = await stand.admin("POST", "/guardrails", body)
    config = {"name": "guarded", "config": {"output_guardrails": [made["id"]]}}
    slug = (await stand.admin("POST", "/configs", config))["slug"]
    await stand.admin("PUT", f"/api-keys/{key_id}", {"defaults": {"config_id": slug}})


async def test_what_is_shown_again_is_checked_as_an_answer_is(stand: Stand) -> None:
    """A response that was made in the background has its text only now. Deleting it says nothing."""
    body = {"name": "customer", "workspace_id": "default", "scopes": ["completions.write"]}
    key = await stand.admin("POST", "/api-keys/workspace/service", body)
    identifier = (await respond(stand, key["key"])).json["id"]
    path = f"/responses/{identifier}"
    await guard(stand, key["id"], deny=False)
    noted = await stand.call(key["key"], path, method="GET")
    assert (noted.status, noted.json["id"]) == (246, identifier)
    await guard(stand, key["id"], deny=True)
    for method, more in (("GET", ""), ("GET", "?stream=true"), ("POST", "/cancel")):
        denied = await stand.call(key["key"], f"{path}{more}", method=method)
        assert (denied.status, denied.json["error"]["details"]["check"]) == (446, SILENT["id"]), more
        assert (await stand.record(denied)).outcome == "denied"
    items = await stand.call(key["key"], f"{path}/input_items", method="GET")
    assert items.status == 200  # what he said himself is no answer
    assert (await stand.call(key["key"], path, method="DELETE")).json["deleted"] is True
