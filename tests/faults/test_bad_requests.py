"""Requests that are wrong in themselves: the right status, in the client's own format, and never a call upstream."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.customer import Customer
from tests.support.http import Answer
from tests.support.raw import connected, head, request

HELLO = [{"role": "user", "content": "hello there"}]
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
PATHS = (CHAT, MESSAGES, RESPONSES)


def body(path: str, **more: object) -> dict[str, Any]:
    prompt = {"input": "hello there"} if path == RESPONSES else {"messages": HELLO, "max_tokens": 50}
    return {"model": "@openai/sim-fast", **prompt, **more}


def assert_told(answer: Answer, path: str) -> None:
    """An error as the SDKs of the path's format read it, with what finds it again in the logs."""
    told = answer.json
    assert told["error"]["message"]
    assert told["error"]["type"]
    if path == MESSAGES:
        assert told["type"] == "error"
    else:
        assert told["status"] == "failure"
        assert told["message"] == told["error"]["message"] == told["data"]["message"]
    assert answer.header("content-type") == "application/json"
    assert answer.header("x-headgate-request-id")
    assert answer.header("x-portkey-trace-id")
    assert answer.header("x-headgate-source") == "gateway"


def ask(customer: Customer, path: str, payload: bytes | dict[str, Any], *lines: str) -> Answer:
    with connected(customer.gateway.url) as connection:
        connection.send(request(path, customer.key, payload, *lines))
        return connection.answer()


NESTED = b'{"model":"@openai/sim-fast","max_tokens":5,"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BODIES: dict[str, tuple[int, Callable[[str], bytes]]] = {
    "no body": (400, lambda path: b""),
    "not JSON": (400, lambda path: b"model=gpt"),
    "JSON that breaks off": (400, lambda path: json.dumps(body(path)).encode()[:-3]),
    "no object": (400, lambda path: b"[1, 2]"),
    "not UTF-8": (400, lambda path: json.dumps(body(path)).encode().replace(b"hello", b"\xff\xfe")),
    "two models": (400, lambda path: json.dumps(body(path)).encode()[:-1] + b', "model": "@openai/sim-slow"}'),
    "two models, one escaped": (
        400,
        lambda path: json.dumps(body(path)).encode()[:-1] + rb', "mod\u0065l": "@openai/sim-slow"}',
    ),
    "nested 100,000 deep": (400, lambda path: NESTED),
    "no model": (400, lambda path: json.dumps({**body(path), "model": None}).encode()),
    "a model that is a number": (400, lambda path: json.dumps({**body(path), "model": 7}).encode()),
    "stream that is a text": (400, lambda path: json.dumps(body(path, stream="yes")).encode()),
    "a negative limit": (
        400,
        lambda path: json.dumps(
            {**body(path), ("max_output_tokens" if path == RESPONSES else "max_tokens"): -5}
        ).encode(),
    ),
    "a model without its provider's slash": (400, lambda path: json.dumps({**body(path), "model": "@openai"}).encode()),
    "an unknown provider": (404, lambda path: json.dumps({**body(path), "model": "@nobody/x"}).encode()),
    "an unknown plain model": (412, lambda path: json.dumps({**body(path), "model": "no-such-model"}).encode()),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused(customer: Customer, path: str, name: str) -> None:
    """Status and format are right, the sentence is there, and the provider never hears of it."""
    status, make = BODIES[name]
    before = len(customer.gateway.upstream_calls())
    answer = ask(customer, path, make(path))
    assert answer.status == status, answer.body
    assert_told(answer, path)
    assert len(customer.gateway.upstream_calls()) == before


@pytest.mark.parametrize("path", PATHS)
def test_an_encoded_body_is_refused(customer: Customer, path: str) -> None:
    """No Content-Encoding is taken: a compressed body could be as large as it likes."""
    answer = ask(customer, path, gzip.compress(json.dumps(body(path)).encode()), "Content-Encoding: gzip")
    assert answer.status == 415
    assert_told(answer, path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "key",
    ["", "sk-nobody", "hg_0000000000000000_00000000000000000000000000000000_0000000", "OPENAI_API_KEY", "é" * 40],
)
def test_a_wrong_key_is_refused(customer: Customer, path: str, key: str) -> None:
    """Absent, foreign, well-formed but wrong, the SDKs' placeholder, not ASCII: 401, and the same words for all."""
    with connected(customer.gateway.url) as connection:
        connection.send(request(path, key, body(path)))
        answer = connection.answer()
    assert answer.status == 401
    assert_told(answer, path)
    assert key not in answer.body.decode() or not key or key == "OPENAI_API_KEY"


def test_two_different_keys_in_one_call_are_refused(customer: Customer) -> None:
    """Nobody can say which of the two was meant; the same key twice is no question."""
    other = customer.gateway.key(customer.workspace)
    assert ask(customer, CHAT, body(CHAT), f"x-api-key: {other}").status == 400
    assert ask(customer, CHAT, body(CHAT), f"x-api-key: {customer.key}").status == 200


def test_a_revoked_key_is_refused_within_a_second(customer: Customer) -> None:
    """It was in memory a moment ago; the next call with it is refused."""
    made = customer.gateway.new_key(customer.workspace)
    assert customer.gateway.chat(made["key"], "@openai/sim-fast").status == 200
    customer.gateway.admin("DELETE", f"/api-keys/{made['id']}")
    with connected(customer.gateway.url) as connection:
        connection.send(request(CHAT, made["key"], body(CHAT)))
        assert connection.answer().status == 401


@pytest.mark.parametrize("path", PATHS)
def test_an_announced_100_mb_body_is_refused_unread(customer: Customer, path: str) -> None:
    """The head says enough: 413 without a byte of the body."""
    with connected(customer.gateway.url) as connection:
        connection.send(head(path, customer.key, f"Content-Length: {100 * 1024 * 1024}"))
        answer = connection.answer()
    assert answer.status == 413
    assert_told(answer, path)


@pytest.mark.parametrize("path", PATHS)
def test_an_unannounced_100_mb_body_is_refused_at_the_bound(customer: Customer, path: str) -> None:
    """Sent in chunks of 1 MiB without saying how much it will be: 413, and the rest is not kept."""
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with connected(customer.gateway.url) as connection:
        connection.send(head(path, customer.key, "Transfer-Encoding: chunked"))
        for _ in range(100):
            connection.send(chunk)
        connection.send(b"0\r\n\r\n")
        answer = connection.answer()
    assert answer.status == 413
    assert_told(answer, path)


def test_an_unknown_model_of_a_provider_is_the_providers_to_refuse(customer: Customer) -> None:
    """Where all models are allowed the provider knows best; its refusal comes through in the client's format."""
    for path, kind in ((CHAT, "invalid_request_error"), (MESSAGES, "not_found_error")):
        answer = ask(customer, path, {**body(path), "model": "@openai/no-such-model"})
        assert answer.status == 404
        assert answer.json["error"]["type"] == kind
        assert answer.header("x-headgate-source") == "provider"


@pytest.mark.parametrize("path", [*PATHS, "/v1/embeddings", "/v1/completions", "/v1/messages/count_tokens"])
def test_a_wrong_method_is_refused(customer: Customer, path: str) -> None:
    """405 where the path exists."""
    with connected(customer.gateway.url) as connection:
        connection.send(head(path, customer.key, "Content-Length: 0", method="GET"))
        assert connection.answer().status == 405


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/chat/completions/", "/v2/chat/completions", "//v1/messages"])
def test_an_unknown_path_is_refused(customer: Customer, path: str) -> None:
    """404, never a redirect: the SDKs do not follow one, and a metered call must not go twice."""
    answer = ask(customer, path, body(CHAT))
    assert answer.status == 404
    assert answer.json["error"]["message"]
