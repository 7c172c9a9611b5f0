"""What goes wrong, by model name, and what is billed for it."""

import json
import re
import socket

import pytest

from headgate.simulator import books
from headgate.simulator.behaviours import BEHAVIOURS
from tests.support.http import Answer
from tests.support.simulator import Simulated

STREAMS = ("chat", "messages", "gemini")


def stream(simulated: Simulated, dialect: str, model: str) -> Answer:
    if dialect == "chat":
        return simulated.chat(model, stream=True, stream_options={"include_usage": True})
    if dialect == "messages":
        return simulated.messages(model, stream=True)
    return simulated.gemini(model, stream=True)


def last_call(simulated: Simulated, model: str) -> books.Call:
    """The latest call of the model in the journal. Its end is written after the answer: it may be on its way."""
    return [call for call in simulated.calls() if call.intent.model == model][-1]


@pytest.mark.parametrize("dialect", STREAMS)
@pytest.mark.parametrize("model", ["sim-cut-mid-stream", "sim-cut-mid-utf8"])
def test_a_cut_stream_ends_without_its_end(simulated: Simulated, dialect: str, model: str) -> None:
    """The connection is closed in the middle; what was made until then is billed, and no more."""
    answer = stream(simulated, dialect, model)
    assert not answer.whole
    call = last_call(simulated, model)
    assert 0 < call.usage["output"] < call.intent.expected["output"]
    if model == "sim-cut-mid-utf8":
        with pytest.raises(UnicodeDecodeError):
            answer.body.decode()


@pytest.mark.parametrize("model", ["sim-cut-mid-stream", "sim-cut-mid-utf8", "sim-error-mid-stream"])
def test_a_plain_answer_is_cut_too(simulated: Simulated, model: str) -> None:
    """Less comes than the length promised; it was made all the same, so all of it is billed."""
    assert not simulated.chat(model).whole
    call = last_call(simulated, model)
    assert call.usage == call.intent.expected


@pytest.mark.parametrize("dialect", STREAMS)
def test_an_error_in_mid_stream_is_an_event(simulated: Simulated, dialect: str) -> None:
    """HTTP ends properly, the last event is an error, and nothing says that the answer is whole."""
    answer = stream(simulated, dialect, "sim-error-mid-stream")
    assert (answer.status, answer.whole) == (200, True)
    assert "error" in answer.events[-1][1]


@pytest.mark.parametrize(("dialect", "end"), [("chat", b"[DONE]"), ("messages", b"message_stop"), ("gemini", b"STOP")])
def test_no_done_leaves_out_the_end(simulated: Simulated, dialect: str, end: bytes) -> None:
    """HTTP ends properly, the format does not."""
    answer = stream(simulated, dialect, "sim-no-done")
    assert answer.whole
    assert end not in answer.body


def test_bad_json_breaks_off_within_an_event_or_the_body(simulated: Simulated) -> None:
    """What comes is not JSON, though HTTP is in order."""
    with pytest.raises(json.JSONDecodeError):
        _ = simulated.chat("sim-bad-json").json
    events = stream(simulated, "chat", "sim-bad-json").events
    assert [data for _, data in events if isinstance(data, str)] != ["[DONE]"]
    assert events[-1][1] == "[DONE]"


@pytest.mark.parametrize("dialect", STREAMS)
def test_no_usage_says_nothing_of_it(simulated: Simulated, dialect: str) -> None:
    """The books know what it cost, and that the caller was not told."""
    body = stream(simulated, dialect, "sim-no-usage").body
    assert not re.search(rb'"usage(Metadata)?":[^n]', body)
    call = last_call(simulated, "sim-no-usage")
    assert call.usage["output"] == 6
    assert call.billed is None or not call.billed.told


def test_lies_differ_from_the_books(simulated: Simulated) -> None:
    """More cached tokens than the prompt has: what no gateway may take at its word."""
    usage = simulated.chat("sim-usage-lies").json["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] > usage["prompt_tokens"]
    assert last_call(simulated, "sim-usage-lies").usage == {"input": 3, "output": 6}


@pytest.mark.parametrize(
    ("model", "status", "after"), [("sim-500", 500, None), ("sim-429", 429, "7"), ("sim-529", 529, "3")]
)
def test_refusals_cost_nothing(simulated: Simulated, model: str, status: int, after: str | None) -> None:
    """The status, the time to wait, and an entry in the books that bills nothing."""
    answer = simulated.chat(model)
    assert (answer.status, answer.header("retry-after")) == (status, after)
    assert last_call(simulated, model).usage == {}


def test_who_follows_a_redirect_is_in_the_books(simulated: Simulated) -> None:
    """The redirect points at a path of its own, so that a credential sent there is seen."""
    answer = simulated.chat("sim-redirect")
    assert answer.status == 307
    body = {"model": "sim-redirect", "messages": [{"role": "user", "content": "hi"}]}
    simulated.post(answer.header("location") or "", body, {"authorization": "Bearer leaked"})
    assert [call.intent.dialect for call in simulated.calls() if call.intent.model == "sim-redirect"][
        -1
    ] == "redirected"


def test_reflect_shows_the_request_headers(simulated: Simulated) -> None:
    """In the body and in the answer's headers, the credential included: whatever a gateway lets through is seen."""
    answer = simulated.chat("sim-reflect")
    assert "Bearer key" in answer.json["choices"][0]["message"]["content"]
    assert answer.header("x-reflected-authorization") == "Bearer key"


def test_stall_never_answers_and_bills_nothing(simulated: Simulated) -> None:
    """Nothing comes; when the caller hangs up, the books close the call without a bill."""
    with pytest.raises(TimeoutError):
        _timed_out(simulated, "sim-stall", seconds=0.2)
    assert last_call(simulated, "sim-stall").usage == {}


def test_stall_mid_stream_begins(simulated: Simulated) -> None:
    """Half of it comes, and then nothing."""
    received = _until_silence(simulated, "sim-stall-mid-stream", seconds=0.5)
    assert b"200 OK" in received
    assert b"[DONE]" not in received


def test_long_and_huge_answers_are_as_large_as_they_say(simulated: Simulated) -> None:
    """1,000 events; and 1 MiB in a few."""
    long = simulated.chat("sim-long", stream=True)
    assert len(long.events) == 1_000 + 3
    huge = simulated.chat("sim-huge", stream=True)
    assert len(huge.body) > 1024 * 1024
    assert len(huge.events) == 16 + 3


def test_slow_and_trickled_answers_are_whole(simulated: Simulated) -> None:
    """However they come, it is the same answer."""
    assert simulated.chat("sim-slow").json["usage"]["completion_tokens"] == 64
    trickled = simulated.chat("sim-trickle", stream=True)
    assert trickled.events[-1][1] == "[DONE]"


def test_every_model_says_what_it_does() -> None:
    """The registry is the documentation of the models."""
    assert all(name.startswith("sim-") and behaviour.what for name, behaviour in BEHAVIOURS.items())


def _request(simulated: Simulated, model: str) -> tuple[tuple[str, int], bytes]:
    body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
    host, _, port = simulated.url.removeprefix("http://").partition(":")
    lines = ("POST /v1/chat/completions HTTP/1.1", "Host: x", "Authorization: Bearer k", f"Content-Length: {len(body)}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return (host, int(port)), head.encode() + body


def _timed_out(simulated: Simulated, model: str, seconds: float) -> bytes:
    address, request = _request(simulated, model)
    with socket.create_connection(address, timeout=seconds) as connection:
        connection.sendall(request)
        return connection.recv(1)


def _until_silence(simulated: Simulated, model: str, seconds: float) -> bytes:
    address, request = _request(simulated, model)
    received = b""
    with socket.create_connection(address, timeout=seconds) as connection:
        connection.sendall(request)
        while True:
            try:
                received += connection.recv(65536)
            except TimeoutError:
                return received
