"""What is wrong below the request: heads, hosts, versions, framings; and requests that arrive in drops."""

import json

import pytest

from tests.support.customer import Customer
from tests.support.raw import connected, head, request

CHAT = "/v1/chat/completions"
GARBAGE = (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"GET\r\n\r\n", b"\r\n" * 50_000)
BODY = {"model": "@openai/sim-fast", "max_tokens": 50, "messages": [{"role": "user", "content": "hello there"}]}


def test_a_header_of_a_megabyte_is_refused(customer: Customer) -> None:
    """431, though the parser would take it."""
    with connected(customer.gateway.url) as connection:
        connection.send(request(CHAT, customer.key, BODY, "X-Large: " + "a" * 1_000_000))
        answer = connection.answer()
    assert answer.status == 431
    assert answer.json["error"]["message"]


def test_too_many_headers_are_refused(customer: Customer) -> None:
    """431 as well."""
    with connected(customer.gateway.url) as connection:
        connection.send(request(CHAT, customer.key, BODY, *(f"X-{number}: a" for number in range(2_000))))
        assert connection.answer().status == 431


def test_a_request_without_host_is_refused(customer: Customer) -> None:
    """As HTTP/1.1 demands; and so are two of them."""
    for lines, host in (((), False), (("Host: other.test",), True)):
        with connected(customer.gateway.url) as connection:
            connection.send(request(CHAT, customer.key, BODY, *lines, host=host))
            assert connection.answer().status == 400


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding : chunked",),
        ("Content-Length: +5",),
        ("Content-Length: 0x5",),
    ],
)
def test_a_body_that_ends_in_two_ways_is_refused(customer: Customer, lines: tuple[str, ...]) -> None:
    """What a proxy in front could read otherwise is never read at all, and the connection ends with it."""
    smuggled = request("/v1/models", customer.key, b"")
    with connected(customer.gateway.url) as connection:
        connection.send(head(CHAT, customer.key, *lines) + b"0\r\n\r\n" + smuggled)
        assert connection.answer().status == 400
        assert connection.closed_within(5)
        assert connection.received == b""


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_http_is_refused(customer: Customer, garbage: bytes) -> None:
    """A TLS hello, text, half a request line, nothing but line ends: a 4xx and the end."""
    with connected(customer.gateway.url) as connection:
        connection.send(garbage)
        assert 400 <= connection.answer().status < 500
        assert connection.closed_within(5)


def test_http_1_0_is_answered_and_closed(customer: Customer) -> None:
    """Old proxies speak it: a whole answer, then the end of the connection; without Host too."""
    for host in (True, False):
        with connected(customer.gateway.url) as connection:
            connection.send(request(CHAT, customer.key, BODY, version="1.0", host=host))
            answer = connection.answer()
            assert answer.status == 200
            assert answer.json["choices"][0]["message"]["content"] == "You said: hello there"
            assert connection.closed_within(5)


def test_pipelined_requests_are_answered_in_order(customer: Customer) -> None:
    """Three in one write: three answers, each to its own question, each in the books."""
    texts = [f"number {number}" for number in range(3)]
    bodies = [{**BODY, "messages": [{"role": "user", "content": text}]} for text in texts]
    with connected(customer.gateway.url) as connection:
        connection.send(b"".join(request(CHAT, customer.key, body) for body in bodies))
        answers = [connection.answer() for _ in bodies]
    assert [answer.json["choices"][0]["message"]["content"] for answer in answers] == [f"You said: {t}" for t in texts]
    ids = {answer.header("x-headgate-request-id") for answer in answers}
    assert len(ids) == 3
    for request_id in ids:
        customer.gateway.record(request_id)


def test_a_request_in_single_bytes_is_answered(customer: Customer) -> None:
    """However it is cut, it is one request."""
    with connected(customer.gateway.url) as connection:
        for byte in request(CHAT, customer.key, BODY):
            connection.send(bytes((byte,)))
        assert connection.answer().status == 200


def test_expect_100_continue_is_told_to_go_on(customer: Customer) -> None:
    """curl waits for it with large bodies; and is refused at once where the body will not be taken."""
    payload = json.dumps(BODY).encode()
    with connected(customer.gateway.url) as connection:
        connection.send(head(CHAT, customer.key, f"Content-Length: {len(payload)}", "Expect: 100-continue"))
        assert b"100 Continue" in connection.first_bytes()
        connection.received = b""
        connection.send(payload)
        assert connection.answer().status == 200
    with connected(customer.gateway.url) as connection:
        connection.send(head(CHAT, customer.key, "Content-Length: 999999999", "Expect: 100-continue"))
        assert connection.answer().status == 413


@pytest.mark.parametrize("cut", ["head", "body"])
def test_a_sender_that_stops_is_told_so(customer: Customer, cut: str) -> None:
    """Half a head or half a body, and then nothing: 408 after the deadline, and the connection is given back."""
    whole = request(CHAT, customer.key, BODY)
    end = whole.index(b"\r\n\r\n") + 4
    with connected(customer.gateway.url) as connection:
        connection.send(whole[: end - 10] if cut == "head" else whole[: end + 10])
        assert connection.answer().status == 408
        assert connection.closed_within(5)


@pytest.mark.parametrize("key", ["sk-nobody", ""])
def test_a_refusal_before_the_body_says_whether_the_connection_goes_on(customer: Customer, key: str) -> None:
    """SDKs send head and body apart, and reuse the connection unless they are told not to: a refusal that does not
    wait for the body must say `Connection: close`, or take the body and go on.
    """
    whole = request(CHAT, key, BODY)
    end = whole.index(b"\r\n\r\n") + 4
    with connected(customer.gateway.url) as connection:
        connection.send(whole[:end])
        refusal = connection.answer()
        assert refusal.status == 401
        if (refusal.header("connection") or "").lower() != "close":
            connection.send(whole[end:])
            connection.send(request(CHAT, customer.key, BODY))
            assert connection.answer().status == 200
