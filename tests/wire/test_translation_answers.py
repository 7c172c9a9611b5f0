"""Whole answers and errors, and what becomes of those that are not what the documentation says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from headgate.base.errors import UpstreamFailed
from headgate.wire.translation import Translation
from tests.support.chat_answers import STREAMED, WHOLE, events
from tests.support.translating import ANTHROPIC, COHERE, GEMINI, OPENAI, least_request, translation

ANSWERS: dict[str, dict[str, Any]] = {
    OPENAI: {
        "id": "c1",
        "model": "gpt",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hello",
                    "reasoning_content": "Hm",
                    "tool_calls": [
                        {"id": "a", "type": "function", "function": {"name": "w", "arguments": '{"city":"Paris"}'}}
                    ],
                    "annotations": [{"type": "url_citation"}],
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 60},
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
    },
    ANTHROPIC: {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
            {"type": "text", "text": "Hello", "citations": [{"type": "page_location"}]},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
            {"type": "tool_use", "id": "a", "name": "w", "input": {"city": "Paris"}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 30,
            "cache_read_input_tokens": 60,
            "cache_creation_input_tokens": 10,
            "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 6},
            "output_tokens": 20,
        },
    },
    GEMINI: {
        "responseId": "g1",
        "modelVersion": "gemini-3",
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "Hm", "thought": True},
                        {"text": "Hello"},
                        {"executableCode": {"language": "PYTHON", "code": "1"}},
                        {"functionCall": {"name": "w", "args": {"city": "Paris"}}, "thoughtSignature": "c2ln"},
                    ],
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 60,
            "candidatesTokenCount": 15,
            "thoughtsTokenCount": 5,
            "totalTokenCount": 120,
        },
    },
    COHERE: {
        "id": "h1",
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Hello"}],
            "tool_plan": "I will look.",
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "w", "arguments": '{"city":"Paris"}'}}],
            "citations": [{"start": 0, "end": 5, "text": "Hello", "sources": []}],
        },
        "usage": {
            "billed_units": {"input_tokens": 100, "output_tokens": 20},
            "tokens": {"input_tokens": 600, "output_tokens": 35},
            "cached_tokens": 500,
        },
    },
}
STREAMS: dict[str, list[Any]] = {
    OPENAI: [
        {"id": "c1", "model": "gpt", "choices": [{"index": 0, "delta": {"role": "assistant", "reasoning": "Hm"}}]},
        {"id": "c1", "choices": [{"index": 0, "delta": {"content": "Hello"}}]},
        {"id": "c1", "choices": [{"index": 0, "delta": ANSWERS[OPENAI]["choices"][0]["message"]}]},
        {"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": None},
        {"id": "c1", "choices": [], "usage": ANSWERS[OPENAI]["usage"]},
    ],
    ANTHROPIC: [
        {"type": "message_start", "message": {**ANSWERS[ANTHROPIC], "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": ANSWERS[ANTHROPIC]["content"][4]},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ""}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 20}},
        {"type": "message_stop"},
    ],
    GEMINI: [{**ANSWERS[GEMINI], "usageMetadata": None}, ANSWERS[GEMINI]],
    COHERE: [
        {"type": "message-start", "id": "h1", "delta": {"message": {"role": "assistant", "content": []}}},
        {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hello"}}}},
        {"type": "content-end", "index": 0},
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I will look."}}},
        {
            "type": "tool-call-start",
            "index": 0,
            "delta": {"message": {"tool_calls": {"id": "a", "function": {"name": "w", "arguments": ""}}}},
        },
        {
            "type": "tool-call-delta",
            "index": 0,
            "delta": {"message": {"tool_calls": {"function": {"arguments": '{"city":"Paris"}'}}}},
        },
        {"type": "tool-call-end", "index": 0},
        {
            "type": "message-end",
            "delta": {"finish_reason": "TOOL_CALL", "usage": ANSWERS[COHERE]["usage"]},
        },
    ],
}
PAIRS = [
    *((OPENAI, ANTHROPIC), (OPENAI, GEMINI), (OPENAI, COHERE)),
    *((ANTHROPIC, OPENAI), (ANTHROPIC, GEMINI), (ANTHROPIC, COHERE)),
]


def translated(client: str, provider: str, answer: Any) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(translation(client, provider).answer(200, json.dumps(answer).encode()))
    return whole


def test_an_anthropic_answer_in_full() -> None:
    """To an OpenAI client, member by member: cached tokens are part of the prompt there."""
    assert translated(OPENAI, ANTHROPIC, ANSWERS[ANTHROPIC]) == {
        "id": "m1",
        "object": "chat.completion",
        "created": 7,
        "model": "claude",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hello",
                    "refusal": None,
                    "tool_calls": [
                        {"id": "a", "type": "function", "function": {"name": "w", "arguments": '{"city":"Paris"}'}}
                    ],
                    "reasoning_content": "Hm",
                    "thinking_blocks": [{"type": "thinking", "thinking": "Hm", "signature": "c2ln"}],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 0, "cache_write_tokens": 10},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
    }


def test_an_openai_answer_in_full() -> None:
    """To an Anthropic client, member by member: cached tokens stand beside the input there."""
    assert translated(ANTHROPIC, OPENAI, ANSWERS[OPENAI]) == {
        "id": "c1",
        "type": "message",
        "role": "assistant",
        "model": "gpt",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "openai_chat:reasoning_content"},
            {"type": "text", "text": "Hello"},
            {"type": "tool_use", "id": "a", "name": "w", "input": {"city": "Paris"}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 40,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 60,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 20,
        },
    }


def test_a_gemini_answer_keeps_its_signature_before_what_it_signs() -> None:
    """A client that sends the blocks back in their order puts the signature where Gemini gave it."""
    content = translated(ANTHROPIC, GEMINI, ANSWERS[GEMINI])["content"]
    assert [block["type"] for block in content] == ["thinking", "text", "thinking", "tool_use"]
    assert content[0]["thinking"] == "Hm"
    assert content[2] == {"type": "thinking", "thinking": "", "signature": "gemini:c2ln"}
    history = [{"role": "user", "content": "?"}, {"role": "assistant", "content": content}]
    body = json.loads(translation(ANTHROPIC, GEMINI, least_request(ANTHROPIC) | {"messages": history}).request().body)
    assert body["contents"][1]["parts"] == [
        {"text": "Hm", "thought": True},
        {"text": "Hello"},
        {
            "functionCall": {"id": "call_g1_0", "name": "w", "args": {"city": "Paris"}},
            "thoughtSignature": "c2ln",
        },
    ]


@pytest.mark.parametrize(
    ("provider", "stop", "for_openai", "for_anthropic"),
    [
        (ANTHROPIC, "end_turn", "stop", None),
        (ANTHROPIC, "stop_sequence", "stop", None),
        (ANTHROPIC, "max_tokens", "length", None),
        (ANTHROPIC, "model_context_window_exceeded", "length", None),
        (ANTHROPIC, "refusal", "content_filter", None),
        (ANTHROPIC, "pause_turn", "stop", None),
        (ANTHROPIC, "never_heard_of", "stop", None),
        (GEMINI, "STOP", "stop", "end_turn"),
        (GEMINI, "MAX_TOKENS", "length", "max_tokens"),
        (GEMINI, "SAFETY", "content_filter", "refusal"),
        (GEMINI, "PROHIBITED_CONTENT", "content_filter", "refusal"),
        (GEMINI, "MALFORMED_FUNCTION_CALL", "stop", "end_turn"),
        (COHERE, "COMPLETE", "stop", "end_turn"),
        (COHERE, "STOP_SEQUENCE", "stop", "stop_sequence"),
        (COHERE, "MAX_TOKENS", "length", "max_tokens"),
        (COHERE, "NEVER_HEARD_OF", "stop", "end_turn"),
        (OPENAI, "stop", None, "end_turn"),
        (OPENAI, "length", None, "max_tokens"),
        (OPENAI, "content_filter", None, "refusal"),
        (OPENAI, "model_length", None, "max_tokens"),
        (OPENAI, None, None, "end_turn"),
    ],
)
def test_stop_reasons(provider: str, stop: str | None, for_openai: str | None, for_anthropic: str | None) -> None:
    """In the client's words; what is not known is a plain end."""
    answers: dict[str, dict[str, Any]] = {
        OPENAI: {"choices": [{"message": {"content": "x"}, "finish_reason": stop}]},
        ANTHROPIC: {"content": [{"type": "text", "text": "x"}], "stop_reason": stop},
        GEMINI: {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": stop}]},
        COHERE: {"message": {"content": [{"type": "text", "text": "x"}]}, "finish_reason": stop},
    }
    if for_openai is not None:
        assert translated(OPENAI, provider, answers[provider])["choices"][0]["finish_reason"] == for_openai
    if for_anthropic is not None:
        assert translated(ANTHROPIC, provider, answers[provider])["stop_reason"] == for_anthropic


def test_a_refusal_in_words_is_kept() -> None:
    """OpenAI's `refusal` is text to a client that has no such member, and the stop reason says what it is."""
    answer = {"choices": [{"message": {"content": None, "refusal": "No."}, "finish_reason": "stop"}]}
    told = translated(ANTHROPIC, OPENAI, answer)
    assert (told["content"], told["stop_reason"]) == ([{"type": "text", "text": "No."}], "refusal")


def test_an_answer_without_id_or_model_has_the_callers() -> None:
    """Clients' SDKs need both."""
    told = translated(OPENAI, GEMINI, {"candidates": None})
    assert (told["id"], told["model"], told["choices"][0]["message"]["content"]) == ("req_1", "gemini-2.5-flash", "")


@pytest.mark.parametrize(("client", "provider"), PAIRS)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"a":', b"[" * 100_000])
def test_what_is_no_answer_is_an_upstream_failure(client: str, provider: str, body: bytes) -> None:
    """A 200 that is no JSON object."""
    with pytest.raises(UpstreamFailed):
        translation(client, provider).answer(200, body)


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_an_error_with_status_200_is_an_upstream_failure(client: str, provider: str) -> None:
    """OpenRouter does that; the client must not take it for an empty answer."""
    body = json.dumps({"type": "error", "error": {"message": "no credits", "code": 402}}).encode()
    with pytest.raises(UpstreamFailed, match="no credits"):
        translation(client, provider).answer(200, body)


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (b'{"error":{"message":"m","type":"t","param":"p","code":"c"}}', "m", "c"),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"m"},"request_id":"r"}', "m", None),
        (b'[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]', "m", "RESOURCE_EXHAUSTED"),
        (b'{"error":"m"}', "m", None),
        (b'{"object":"error","message":"m","code":"c"}', "m", "c"),
        (b'{"detail":"m"}', "m", None),
        (b'{"error":{"message":null}}', "The provider answered with status 429 and no readable error.", None),
        (b"<html>Too many</html>", "The provider answered with status 429 and no readable error.", None),
        (b"\xff", "The provider answered with status 429 and no readable error.", None),
    ],
)
@pytest.mark.parametrize("client", [OPENAI, ANTHROPIC])
def test_errors_keep_their_sentence(client: str, body: bytes, message: str, code: str | None) -> None:
    """Whichever way the provider wraps it; its status says the type in the client's words."""
    error = json.loads(translation(client, GEMINI).error(429, body))["error"]
    assert (error["message"], error["type"], error["code"]) == (message, "rate_limit_error", code)


@pytest.mark.parametrize(("status", "openais", "anthropics"), [(400, "invalid_request_error", "invalid_request_error"),
    (401, "authentication_error", "authentication_error"), (404, "not_found_error", "not_found_error"),
    (500, "server_error", "api_error")])  # fmt: skip
def test_error_types_follow_the_status(status: int, openais: str, anthropics: str) -> None:
    """Clients' SDKs and their users branch on them."""
    body = b'{"error":{"message":"m"}}'
    assert json.loads(translation(OPENAI, GEMINI).error(status, body))["error"]["type"] == openais
    assert json.loads(translation(ANTHROPIC, GEMINI).error(status, body))["error"]["type"] == anthropics


STRANGE: tuple[Any, ...] = (None, "x", 5, -1, True, [], {}, [None], ["x"], [{}], {"type": "never_heard_of"})


def mangled(value: Any) -> Iterator[Any]:
    """The value with each of its members, at any depth, taken out and replaced by each strange value in turn."""
    places: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    for place in places:
        for strange in STRANGE:
            copy = value.copy()
            copy[place] = strange
            yield copy
        without = value.copy()
        del without[place]
        yield without
        if isinstance(value[place], dict | list):
            for inner in mangled(value[place]):
                copy = value.copy()
                copy[place] = inner
                yield copy


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_mangled_answer_is_readable_or_a_failure(client: str, provider: str) -> None:
    """Nulls for lists, lists for objects, missing ids: the client reads a well-formed answer or a clear error."""
    readable = 0
    for answer in mangled(ANSWERS[provider]):
        dialogue = translation(client, provider)
        try:
            told = json.loads(dialogue.answer(200, json.dumps(answer).encode()))
        except UpstreamFailed:
            continue
        WHOLE[client](told)
        assert isinstance(told["id"], str)
        assert told["id"]
        assert isinstance(told["model"], str)
        readable += 1
    assert readable > 100


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_mangled_stream_is_readable_or_a_failure(client: str, provider: str) -> None:
    """As plain answers: never half an event, never an end that was not one."""
    readable = 0
    for stream in mangled(STREAMS[provider]):
        body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in stream)
        dialogue = translation(client, provider, least_request(client, stream=True))
        out = dialogue.feed(body)
        tail = finished(dialogue)
        if isinstance(tail, bytes):
            STREAMED[client](events(out + tail))
            readable += 1
        else:
            assert not dialogue.complete
            assert b"error" in dialogue.abort(tail)
    assert readable > 100


def finished(dialogue: Translation) -> bytes | UpstreamFailed:
    try:
        return dialogue.finish()
    except UpstreamFailed as failed:
        return failed
