"""What Cohere answers, whole and streamed: thinking, plans, tool calls, citations, what it billed and what failed."""

import json
from typing import Any

import pytest

from headgate.base.errors import UpstreamFailed
from headgate.wire.translation import Translation
from tests.support.chat_answers import STREAMED, WHOLE, events
from tests.support.translating import ANTHROPIC, COHERE, OPENAI, least_request, translation

USAGE = {"billed_units": {"input_tokens": 41, "output_tokens": 25}, "tokens": {"input_tokens": 1, "output_tokens": 99}}
PLANNED: dict[str, Any] = {
    "id": "h1",
    "finish_reason": "TOOL_CALL",
    "message": {
        "role": "assistant",
        "tool_plan": "I will look.",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}},
            {"id": "b", "type": "function", "function": {"name": "time", "arguments": "{}"}},
        ],
    },
    "usage": USAGE,
}


def told(kind: str, message: dict[str, Any] | None = None, **members: Any) -> bytes:
    """An event of Cohere's, as it writes them."""
    delta = {} if message is None else {"delta": {"message": message}}
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **delta, **members})}\n\n".encode()


def text(piece: str) -> bytes:
    return told("content-delta", {"content": {"text": piece}}, index=0)


def end(reason: str = "COMPLETE", **members: Any) -> bytes:
    return told("message-end", delta={"finish_reason": reason, "usage": USAGE, **members})


START = told("message-start", {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}, id="h1")
PLANNED_STREAM = (
    START
    + told("tool-plan-delta", {"tool_plan": "I will"})
    + told("tool-plan-delta", {"tool_plan": " look."})
    + told("tool-call-start", {"tool_calls": {"id": "a", "function": {"name": "weather", "arguments": ""}}}, index=0)
    + told("tool-call-delta", {"tool_calls": {"function": {"arguments": '{"city":'}}}, index=0)
    + told("tool-call-delta", {"tool_calls": {"function": {"arguments": '"Paris"}'}}}, index=0)
    + told("tool-call-end", index=0)
    + told("tool-call-start", {"tool_calls": {"id": "b", "function": {"name": "time", "arguments": ""}}}, index=1)
    + told("tool-call-end", index=1)
    + end("TOOL_CALL")
)


def opened(client: str) -> Translation:
    return translation(client, COHERE, least_request(client, stream=True))


def test_the_plan_of_a_turn_with_tools_is_thinking() -> None:
    """It precedes the calls, and its signature brings it back to Cohere as the plan it was."""
    answer = json.loads(translation(ANTHROPIC, COHERE).answer(200, json.dumps(PLANNED).encode()))
    assert answer["content"] == [
        {"type": "thinking", "thinking": "I will look.", "signature": "cohere:tool_plan"},
        {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Paris"}},
        {"type": "tool_use", "id": "b", "name": "time", "input": {}},
    ]
    history = [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer["content"]}]
    request = least_request(ANTHROPIC) | {"messages": history}
    body = json.loads(translation(ANTHROPIC, COHERE, request).request().body)
    assert body["messages"][1] == PLANNED["message"]


@pytest.mark.parametrize("client", [OPENAI, ANTHROPIC])
def test_a_stream_says_what_the_whole_answer_says(client: str) -> None:
    """Plan, calls with and without arguments, the stop and the billed tokens; cut anywhere."""
    dialogue = opened(client)
    out = dialogue.feed(PLANNED_STREAM) + dialogue.finish()
    whole = json.loads(translation(client, COHERE).answer(200, json.dumps(PLANNED).encode()))
    assert STREAMED[client](events(out)) == WHOLE[client](whole)
    assert (WHOLE[client](whole).input, WHOLE[client](whole).output) == (41, 25)
    assert dialogue.complete
    assert dialogue.usage is not None
    assert not dialogue.hidden_tokens
    cut = opened(client)
    pieces = [cut.feed(PLANNED_STREAM[at : at + 1]) for at in range(len(PLANNED_STREAM))]
    assert b"".join([*pieces, cut.finish()]) == out


def test_streamed_thinking_is_signed_and_citations_are_passed_over() -> None:
    """Each part ends where the next begins; events that nobody asked for say nothing."""
    dialogue = opened(ANTHROPIC)
    out = dialogue.feed(
        START
        + told("content-start", {"content": {"type": "thinking", "thinking": "H"}}, index=0)
        + told("content-delta", {"content": {"thinking": "m"}}, index=0)
        + told("content-end", index=0)
        + told("content-start", {"content": {"type": "text", "text": ""}}, index=1)
        + text("So")
        + told("citation-start", {"citations": {"start": 0, "end": 2, "text": "So", "sources": []}}, index=0)
        + told("citation-end", index=0)
        + text(".")
        + told("content-end", index=1)
        + told("debug", prompt="<hidden>")
        + told("never-heard-of", {"content": "x"})
        + end()
        + b"data: [DONE]\n\n"
    )
    said = STREAMED[ANTHROPIC](events(out))
    assert (said.thoughts, said.text, said.stop, said.output) == ("Hm", "So.", "end", 25)
    assert b"cohere:thinking" in out
    assert dialogue.delivered == len("HmSo.")
    assert dialogue.finish() == b""


def test_arguments_that_belong_to_no_call_are_passed_over() -> None:
    """A piece of a call that never began, or has ended, cannot be put anywhere."""
    astray = told("tool-call-delta", {"tool_calls": {"function": {"arguments": "{}"}}}, index=0)
    out = opened(ANTHROPIC).feed(START + astray + text("Hi") + astray + end())
    said = STREAMED[ANTHROPIC](events(out))
    assert (said.text, said.calls) == ("Hi", ())


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT"])
def test_answers_that_cohere_broke_off_are_failures(reason: str) -> None:
    """Plain or streamed; what it reported of usage is kept."""
    with pytest.raises(UpstreamFailed, match=reason):
        translation(OPENAI, COHERE).answer(200, json.dumps({**PLANNED, "finish_reason": reason}).encode())
    dialogue = opened(OPENAI)
    assert b"Hi" in dialogue.feed(START + text("Hi") + end(reason))
    with pytest.raises(UpstreamFailed, match=reason):
        dialogue.finish()
    assert not dialogue.complete
    assert dialogue.usage is not None


@pytest.mark.parametrize(
    "event",
    [
        end("ERROR", error="too long"),
        b'data: {"message":"too long","id":"h1"}\n\n',
        b'data: {"error":{"message":"too long"}}\n\n',
    ],
)
def test_an_error_in_the_stream_keeps_its_sentence(event: bytes) -> None:
    """Whichever way it is told."""
    dialogue = opened(ANTHROPIC)
    dialogue.feed(START + event)
    with pytest.raises(UpstreamFailed, match="too long"):
        dialogue.finish()


def test_an_error_with_status_200_keeps_its_sentence() -> None:
    """Cohere's errors are a bare `message`; the client must not take one for an empty answer."""
    with pytest.raises(UpstreamFailed, match="too long"):
        translation(OPENAI, COHERE).answer(200, b'{"id":"h1","message":"too long"}')
