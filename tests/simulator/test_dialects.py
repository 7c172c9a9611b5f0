"""Each dialect over HTTP: text, tools, structure, thinking, limits and errors, plain and streamed."""

import base64
import json
import struct
from typing import Any

import pytest

from tests.support.http import call
from tests.support.simulator import ANTHROPIC, GEMINI, OPENAI, Simulated

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": CITY}}


def chat_text(events: list[tuple[str, Any]]) -> str:
    chunks = [data for _, data in events if isinstance(data, dict) and data["choices"]]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def test_chat_echoes_and_counts(simulated: Simulated) -> None:
    """The same request has the same answer and the same usage, plain and streamed."""
    plain = simulated.chat("sim-fast").json
    assert plain["choices"][0]["message"]["content"] == "You said: hello there"
    assert plain["choices"][0]["finish_reason"] == "stop"
    assert (plain["usage"]["prompt_tokens"], plain["usage"]["completion_tokens"]) == (3, 6)
    events = simulated.chat("sim-fast", stream=True, stream_options={"include_usage": True}).events
    assert chat_text(events) == "You said: hello there"
    assert events[-1] == ("", "[DONE]")
    assert events[-2][1]["usage"] == plain["usage"]


def test_a_chat_stream_tells_its_usage_only_where_it_was_asked_to(simulated: Simulated) -> None:
    """As OpenAI does: without `stream_options.include_usage` no chunk carries any."""
    events = simulated.chat("sim-fast", stream=True).events
    assert not [data for _, data in events if isinstance(data, dict) and data.get("usage")]


def test_the_length_that_is_asked_for_is_answered_up_to_the_limit(simulated: Simulated) -> None:
    """`N tokens` in the request makes an answer of N tokens; `max_tokens` cuts it and says `length`."""
    free = simulated.chat("sim-fast", "write 50 tokens please").json
    assert (free["usage"]["completion_tokens"], free["choices"][0]["finish_reason"]) == (50, "stop")
    cut = simulated.chat("sim-fast", "write 50 tokens please", max_tokens=20).json
    assert (cut["usage"]["completion_tokens"], cut["choices"][0]["finish_reason"]) == (20, "length")
    message = simulated.messages("sim-fast", "write 50 tokens please", max_tokens=20).json
    assert (message["usage"]["output_tokens"], message["stop_reason"]) == (20, "max_tokens")
    candidate = simulated.gemini("sim-fast", "write 50 tokens", generationConfig={"maxOutputTokens": 20}).json
    assert candidate["usageMetadata"]["candidatesTokenCount"] == 20
    assert candidate["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_several_choices_are_billed_each(simulated: Simulated) -> None:
    """`n` answers cost n times the output."""
    answer = simulated.chat("sim-fast", n=3).json
    assert len(answer["choices"]) == 3
    assert answer["usage"]["completion_tokens"] == 18


@pytest.mark.parametrize(("text", "calls"), [("the weather?", 1), ("weather in both cities", 2), ("hello", 0)])
def test_chat_calls_a_tool_when_it_is_asked_for_weather(simulated: Simulated, text: str, calls: int) -> None:
    """One call, two in parallel, or none; the arguments fit the tool's schema, plain and streamed."""
    message = simulated.chat("sim-fast", text, tools=[CHAT_TOOL]).json["choices"][0]["message"]
    made = message.get("tool_calls") or []
    assert [json.loads(one["function"]["arguments"]) for one in made] == [{"city": "Oslo"}, {"city": "Lima"}][:calls]
    events = simulated.chat("sim-fast", text, tools=[CHAT_TOOL], stream=True).events
    streamed: dict[int, str] = {}
    for _, data in events[:-1]:
        for part in data["choices"][0]["delta"].get("tool_calls") or ():
            streamed[part["index"]] = streamed.get(part["index"], "") + part["function"]["arguments"]
    assert [json.loads(one) for one in streamed.values()] == [{"city": "Oslo"}, {"city": "Lima"}][:calls]


def test_a_tools_result_is_answered_with_text(simulated: Simulated) -> None:
    """The second round of a tool conversation ends it."""
    asked = {"role": "user", "content": "the weather?"}
    called = {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        asked,
        {"role": "assistant", "tool_calls": [called]},
        {"role": "tool", "tool_call_id": "c", "content": "fine"},
    ]
    body = {"model": "sim-fast", "messages": messages, "tools": [CHAT_TOOL]}
    answer = simulated.post("/v1/chat/completions", body, OPENAI).json
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_structured_output_is_json_for_the_schema(simulated: Simulated) -> None:
    """In each dialect the answer's text parses to what the schema asks for."""
    chat_shape = {"type": "json_schema", "json_schema": {"name": "c", "schema": CITY}}
    chat = simulated.chat("sim-fast", response_format=chat_shape).json["choices"][0]["message"]["content"]
    config = {"responseMimeType": "application/json", "responseSchema": CITY}
    gemini = simulated.gemini("sim-fast", generationConfig=config).json["candidates"][0]["content"]["parts"][0]["text"]
    shaped = simulated.messages("sim-fast", output_config={"format": {"type": "json_schema", "schema": CITY}}).json
    responses_body = {"model": "sim-fast", "input": "hi", "text": {"format": {"type": "json_schema", "schema": CITY}}}
    response = simulated.post("/v1/responses", responses_body, OPENAI).json["output"][0]["content"][0]["text"]
    assert [json.loads(text) for text in (chat, gemini, shaped["content"][0]["text"], response)] == [
        {"city": "Oslo"}
    ] * 4


def test_reasoning_is_billed_apart_where_the_provider_tells_it_apart(simulated: Simulated) -> None:
    """OpenAI and Gemini count reasoning by itself, Anthropic within the output and shows it as a block."""
    details = simulated.chat("sim-reasoning").json["usage"]["completion_tokens_details"]
    assert details["reasoning_tokens"] == 24
    assert simulated.gemini("sim-reasoning").json["usageMetadata"]["thoughtsTokenCount"] == 24
    message = simulated.messages("sim-fast", thinking={"type": "enabled", "budget_tokens": 1024}).json
    assert [block["type"] for block in message["content"]] == ["thinking", "text"]
    assert message["usage"]["output_tokens"] == 24 + 6


def test_an_anthropic_stream_has_its_events_in_order(simulated: Simulated) -> None:
    """message_start first, message_stop last, every block opened, filled and closed."""
    tool = {"name": "get_weather", "input_schema": CITY}
    names = [name for name, _ in simulated.messages("sim-fast", "the weather?", tools=[tool], stream=True).events]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert names == ["message_start", "ping", *block, "message_delta", "message_stop"]


def test_a_gemini_stream_is_events_or_one_array(simulated: Simulated) -> None:
    """`alt=sse` makes events; without it the same chunks are one JSON array."""
    events = [data for _, data in simulated.gemini("sim-fast", stream=True).events]
    body = {"contents": [{"parts": [{"text": "hello there"}]}]}
    array = simulated.post("/v1beta/models/sim-fast:streamGenerateContent", body, GEMINI).json

    def texts(chunks: list[Any]) -> str:
        return "".join(chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in chunks)

    assert texts(events) == texts(array) == "You said: hello there"
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"
    assert events[-1]["usageMetadata"] == array[-1]["usageMetadata"]


def test_responses_end_with_the_whole_response(simulated: Simulated) -> None:
    """The last event carries status, output and usage; the numbers of the events have no gap."""
    body = {"model": "sim-fast", "input": "hi", "stream": True}
    events = simulated.post("/v1/responses", body, OPENAI).events
    last = events[-1][1]
    assert last["type"] == "response.completed"
    assert last["response"]["usage"]["output_tokens"] == 3
    assert [data["sequence_number"] for _, data in events] == list(range(len(events)))


def test_completions_and_embeddings_answer(simulated: Simulated) -> None:
    """The older completions, and vectors as numbers and in base64, which are the same."""
    body = {"model": "sim-fast", "prompt": "hi"}
    assert simulated.post("/v1/completions", body, OPENAI).json["choices"][0]["text"] == "You said: hi"
    wanted = {"model": "sim-embed", "input": ["one", "two"]}
    plain = simulated.post("/v1/embeddings", wanted, OPENAI).json
    packed = simulated.post("/v1/embeddings", {**wanted, "encoding_format": "base64"}, OPENAI).json
    unpacked = [list(struct.unpack("<8f", base64.b64decode(row["embedding"]))) for row in packed["data"]]
    assert unpacked == [row["embedding"] for row in plain["data"]]
    assert plain["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    assert [one.usage for one in simulated.calls() if one.intent.model == "sim-embed"][-1] == {"input": 2}


def test_counting_tokens_tells_what_a_call_would_be_billed(simulated: Simulated) -> None:
    """And is free itself."""
    body = {"model": "sim-fast", "messages": [{"role": "user", "content": "hello there"}]}
    assert simulated.post("/v1/messages/count_tokens", body, ANTHROPIC).json == {"input_tokens": 3}


def test_the_prompt_cache_is_written_once_and_then_read(simulated: Simulated) -> None:
    """Anthropic bills the writing by lifetime; OpenAI only tells of reading. The parts always add up to the prompt."""
    text = "x" * 400
    marked = [{"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    first = simulated.messages("sim-fast", system=marked).json["usage"]
    second = simulated.messages("sim-fast", system=marked).json["usage"]
    assert first["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 100}
    assert (second["cache_read_input_tokens"], second["input_tokens"]) == (100, 3)
    messages = [{"role": "system", "content": text}, {"role": "user", "content": "hi"}]
    body = {"model": "sim-fast", "messages": messages, "prompt_cache_key": "k"}
    usages = [simulated.post("/v1/chat/completions", body, OPENAI).json["usage"] for _ in range(2)]
    assert [usage["prompt_tokens_details"]["cached_tokens"] for usage in usages] == [0, 100]
    assert {usage["prompt_tokens"] for usage in usages} == {101}


@pytest.mark.parametrize(
    ("path", "headers", "kind"),
    [
        ("/v1/chat/completions", OPENAI, lambda body: body["error"]["code"]),
        ("/v1/messages", ANTHROPIC, lambda body: body["error"]["type"]),
        ("/v1beta/models/sim-none:generateContent", GEMINI, lambda body: body["error"]["status"]),
    ],
)
def test_errors_are_told_in_the_dialect(simulated: Simulated, path: str, headers: dict[str, str], kind: Any) -> None:
    """No credential, a body that is no JSON, a model there is none of: each provider's own status and kind."""
    said = {"model": "sim-none", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    body = {**said, "contents": [{"parts": [{"text": "hi"}]}]}
    answers = [
        simulated.post(path, body, {}),
        simulated.post(path, b"{", headers),
        simulated.post(path, body, headers),
    ]
    assert [answer.status for answer in answers] == [401, 400, 404]
    assert len({kind(answer.json) for answer in answers}) == 3


def test_models_are_listed_as_each_provider_does(simulated: Simulated) -> None:
    """All three lists name the same models."""
    openai = call("GET", simulated.url + "/v1/models", headers=OPENAI).json["data"]
    anthropic = call("GET", simulated.url + "/v1/models", headers=ANTHROPIC).json["data"]
    gemini = call("GET", simulated.url + "/v1beta/models", headers=GEMINI).json["models"]
    names = [row["id"] for row in openai]
    assert "sim-fast" in names
    assert names == [row["id"] for row in anthropic] == [row["name"].removeprefix("models/") for row in gemini]
