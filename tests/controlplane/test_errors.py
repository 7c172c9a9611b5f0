"""What a caller reads when something is wrong."""

import pytest

from headgate.tenancy import keys
from tests.support.administration import PEPPER, World, customer_key


def _assert_superset(body: dict[str, object]) -> None:
    assert (body["status"], body["success"]) == ("failure", False)
    error = body["error"]
    assert isinstance(error, dict)
    assert body["message"] == error["message"] == body["data"]["message"]  # type: ignore[index]


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"x-portkey-api-key": "OPENAI_API_KEY"},
        {"x-portkey-api-key": "hg_nonsense"},
        {"authorization": f"Bearer {keys.mint(PEPPER).text}"},
        {"x-api-key": keys.mint(PEPPER).text},
    ],
)
async def test_without_a_valid_key_nothing_is_answered(world: World, credential: dict[str, str]) -> None:
    """401 with code 03, in the body all clients can read; also where the body is no JSON, because that is not read."""
    reply = await world.call("POST", "/v1/admin/workspaces", b"{nonsense", key="", headers=credential)
    assert reply.status == 401
    assert reply.json["error"]["code"] == "03"
    _assert_superset(reply.json)


async def test_the_placeholder_of_the_sdk_is_no_credential(world: World) -> None:
    """The real key beside `Authorization: Bearer OPENAI_API_KEY` is the one that counts."""
    headers = {"authorization": "Bearer OPENAI_API_KEY"}
    assert (await world.call("GET", "/v1/admin/workspaces", headers=headers)).status == 200


async def test_two_different_keys_are_refused(world: World) -> None:
    """Nobody can say which of the two was meant."""
    headers = {"authorization": f"Bearer {keys.mint(PEPPER).text}"}
    reply = await world.call("GET", "/v1/admin/workspaces", headers=headers)
    assert (reply.status, reply.json["error"]["code"]) == (400, "two_api_keys")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": 7}, "name"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"name": "x", "slug": "a b"}, "slug"),
        ({"name": "x", "defaults": {"metadata": {"a": {"b": 1}}}}, "defaults.metadata.a"),
        ({"name": "x", "defaults": {"metadata": {"": "b"}}}, "defaults.metadata"),
        ({"name": "x", "defaults": {"metadata": {"a": "y" * 129}}}, "defaults.metadata.a"),
        ({"name": "x", "usage_limits": [{"credit_limit": -1}]}, "usage_limits[0].credit_limit"),
        ({"name": "x", "rate_limits": [{"type": "requests", "unit": "rpx", "value": 1}]}, "rate_limits[0].unit"),
        ([], "body"),
        (b"{nonsense", "body"),
        (b"[" * 100_000, "body"),
        (b'{"name": "\\ud800"}', "name"),
        (b'{"name": "\\u0000"}', "name"),
        (b'{"name": "x", "usage_limits": {"credit_limit": NaN}}', "usage_limits.credit_limit"),
        (b'{"name": "x", "usage_limits": {"credit_limit": 1e400}}', "usage_limits.credit_limit"),
    ],
)
async def test_a_bad_body_names_the_field(world: World, body: object, param: str) -> None:
    """400, `error.param` is the field, and nothing was made."""
    reply = await world.call("POST", "/v1/admin/workspaces", body)
    assert (reply.status, reply.json["error"]["param"]) == (400, param), reply.body
    _assert_superset(reply.json)
    assert (await world.ok("GET", "/v1/admin/workspaces"))["total"] == 1


async def test_an_error_does_not_repeat_a_secret(world: World) -> None:
    """A credential in a body that is refused is not in the refusal."""
    body = {"name": 5, "ai_provider_id": "openai", "key": "sk-do-not-repeat-this-0000"}
    reply = await world.call("POST", "/v1/integrations", body)
    assert reply.status == 400
    assert b"do-not-repeat" not in reply.body


async def test_every_answer_carries_its_ids(world: World) -> None:
    """`x-portkey-trace-id`, the caller's own if it is one, and `x-headgate-request-id`: answers, refusals, 404, 405."""
    for method, path, key, status in (
        ("GET", "/v1/admin/workspaces", None, 200),
        ("GET", "/v1/admin/workspaces", "", 401),
        ("GET", "/v1/nothing", None, 404),
        ("PATCH", "/v1/admin/workspaces", None, 405),
        ("GET", "/v1/admin/workspaces/", None, 404),
    ):
        reply = await world.call(method, path, key=key, headers={"x-portkey-trace-id": "tr-1"})
        assert reply.status == status, (path, reply.body)
        assert reply.headers["x-portkey-trace-id"] == "tr-1"
        assert reply.headers["x-headgate-request-id"].startswith("req_")
        assert reply.headers["content-type"] == "application/json"
    reply = await world.call("GET", "/v1/admin/workspaces", headers={"x-portkey-trace-id": "tr 1"})
    assert reply.headers["x-portkey-trace-id"] == reply.headers["x-headgate-request-id"]


async def test_a_key_without_the_scope_is_refused_before_its_body(world: World) -> None:
    """403 that names the scope, although the body is wrong as well."""
    _, customer = await customer_key(world, "default")
    reply = await world.call("POST", "/v1/admin/workspaces", {}, key=customer)
    assert (reply.status, reply.json["error"]["param"]) == (403, "workspaces.create")


async def test_a_missing_sub_type_gets_a_sentence(world: World) -> None:
    """The SDK then sends the word NOT_GIVEN in the path."""
    reply = await world.call("POST", "/v1/api-keys/organisation/NOT_GIVEN", {"name": "n", "scopes": ["logs.view"]})
    assert (reply.status, reply.json["error"]["param"]) == (400, "sub_type")


async def test_the_api_describes_itself(world: World) -> None:
    """`/openapi.json` needs no key and lists each path once, under `/v1`."""
    reply = await world.call("GET", "/openapi.json", key="")
    assert reply.status == 200
    assert "/v1/api-keys/{level}/{owner}" in reply.json["paths"]
    assert all(path.startswith("/v1/") for path in reply.json["paths"])


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/v1/feedback", {"trace_id": "t", "value": "x"}, "`value`: input should be a valid integer"),
        ("/v1/feedback", [{"trace_id": "t", "value": "x"}], "`[0].value`: input should be a valid integer"),
        ("/v1/feedback", "x", "`body` must be an object."),
        ("/v1/logs", [{"request": "x"}], "`[0].request` must be an object."),
        (
            "/v1/feedback",
            {"trace_id": "t", "value": 1, "metadata": {"": "b"}},
            "`metadata` has an entry without a name.",
        ),
        (
            "/v1/api-keys/workspace/service",
            {"name": "k", "scopes": [], "defaults": "x"},
            "`defaults` must be an object.",
        ),
    ],
)
async def test_a_field_is_called_what_the_caller_calls_it(world: World, path: str, body: object, message: str) -> None:
    """Not by the names that it has in the code, also where a body is one object or a list of them."""
    scopes = ["logs.write", "workspace_service_api_keys.create"]
    _, key = await customer_key(world, "default", scopes=scopes)
    reply = await world.call("POST", path, body, key=key)
    assert reply.status == 400
    assert reply.json["message"].startswith(message), reply.json["message"]
