"""Streams event by event: what the provider sends (>>) and what the client sees, to the byte where it matters."""

import json
from typing import Any

import pytest

from headgate.base.errors import Unavailable, UpstreamFailed
from headgate.wire.translation import Translation
from tests.support.chat_answers import STREAMED, WHOLE, events
from tests.support.translating import ANTHROPIC, COHERE, GEMINI, OPENAI, least_request, translation


def opened(client: str, provider: str, **terms: Any) -> Translation:
    return translation(client, provider, least_request(client, stream=True), **terms)


def data(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **members: Any) -> bytes:
    """An OpenAI provider's chunk."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return data({"id": "c1", "model": "gpt", "object": "chat.completion.chunk", "choices": choices} | members)


def call(index: int | None, arguments: str, call_id: str | None = None, name: str | None = None) -> dict[str, Any]:
    """A piece of a tool call."""
    function = {"arguments": arguments} | ({} if name is None else {"name": name})
    piece: dict[str, Any] = {"function": function} | ({} if call_id is None else {"id": call_id, "type": "function"})
    return piece | ({} if index is None else {"index": index})


def gemini(parts: list[dict[str, Any]] | None, finish: str | None = None, output: int = 1, **members: Any) -> bytes:
    candidate: dict[str, Any] = {} if parts is None else {"content": {"role": "model", "parts": parts}}
    if finish is not None:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 5, "candidatesTokenCount": output, "totalTokenCount": 5 + output}
    return data(
        {"candidates": [candidate], "usageMetadata": usage, "responseId": "g1", "modelVersion": "gemini-2.5"} | members
    )


def anthropic(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\n".encode() + data({"type": kind} | members)


MESSAGE_START = anthropic(
    "message_start",
    message={"id": "m1", "model": "claude", "content": [], "usage": {"input_tokens": 5, "output_tokens": 1}},
)
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
DONE = b"data: [DONE]\n\n"


def kinds(stream: bytes) -> list[str]:
    return [event["type"] for event in events(stream)]


def test_an_anthropic_client_sees_an_openai_stream_in_anthropics_grammar() -> None:
    """Every event goes out when its cause came in; stop reason and usage together at the end."""
    dialogue = opened(ANTHROPIC, OPENAI)
    assert kinds(dialogue.feed(chunk({"role": "assistant", "content": ""}))) == ["message_start"]
    assert kinds(dialogue.feed(chunk({"content": "Hel"}))) == ["content_block_start", "content_block_delta"]
    assert kinds(dialogue.feed(chunk({"content": "lo"}))) == ["content_block_delta"]
    assert dialogue.feed(chunk({}, "stop")) == b""
    assert dialogue.complete
    assert dialogue.feed(chunk(usage=USAGE)) == b""
    ending = dialogue.feed(DONE)
    assert kinds(ending) == ["content_block_stop", "message_delta", "message_stop"]
    delta = events(ending)[1]
    assert delta["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert (delta["usage"]["input_tokens"], delta["usage"]["output_tokens"]) == (5, 7)
    assert dialogue.finish() == b""
    assert dialogue.delivered == 5


def test_an_openai_client_sees_an_anthropic_stream_in_openais_grammar() -> None:
    """The role first, then deltas, a finish chunk, the usage that was asked for, `[DONE]`."""
    dialogue = opened(OPENAI, ANTHROPIC)
    out = dialogue.feed(
        MESSAGE_START
        + anthropic("content_block_start", index=0, content_block={"type": "text", "text": ""})
        + anthropic("ping")
        + anthropic("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hi"})
        + anthropic("content_block_stop", index=0)
        + anthropic("message_delta", delta={"stop_reason": "max_tokens"}, usage={"output_tokens": 7})
        + anthropic("message_stop")
    )
    chunks = events(out)
    assert [choice["delta"] for one in chunks for choice in one["choices"]] == [
        {"role": "assistant", "content": ""},
        {"content": "Hi"},
        {},
    ]
    assert chunks[-2]["choices"][0]["finish_reason"] == "length"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["prompt_tokens"] == 5
    assert chunks[-1]["usage"]["completion_tokens"] == 7
    assert {(one["id"], one["model"], one["created"]) for one in chunks} == {("m1", "claude", 7)}
    assert out.endswith(DONE)


def test_usage_is_withheld_from_an_openai_client_that_did_not_ask() -> None:
    """It is known to the books all the same."""
    dialogue = translation(OPENAI, GEMINI, least_request(OPENAI) | {"stream": True})
    out = dialogue.feed(gemini([{"text": "Hi"}], "STOP", 7)) + dialogue.finish()
    assert not any("usage" in one for one in events(out))
    assert dialogue.usage is not None
    assert dialogue.usage.output_tokens == 7


def test_gemini_chunks_become_a_stream_that_ends_with_the_providers() -> None:
    """Gemini has no last event: more may come after the reason to stop, until its stream ends."""
    dialogue = opened(OPENAI, GEMINI)
    first = dialogue.feed(gemini([{"text": "Hel"}]))
    assert [one["choices"][0]["delta"] for one in events(first)] == [
        {"role": "assistant", "content": ""},
        {"content": "Hel"},
    ]
    dialogue.feed(gemini([{"text": "lo"}], "STOP", 2))
    assert dialogue.complete
    dialogue.feed(gemini(None, None, 3))
    ending = dialogue.finish()
    assert ending.endswith(DONE)
    assert events(ending)[-1]["usage"]["completion_tokens"] == 3


def test_geminis_tool_calls_come_whole_get_ids_and_mean_that_tools_are_waited_for() -> None:
    """`STOP` beside a function call is `tool_calls`; the same stream gives the same ids."""
    stream = gemini([{"functionCall": {"name": "a", "args": {"x": 1}}}, {"functionCall": {"name": "b"}}], "STOP")
    for _ in range(2):
        dialogue = opened(OPENAI, GEMINI)
        said = events(dialogue.feed(stream) + dialogue.finish())
        pieces = [call for one in said for choice in one["choices"] for call in choice["delta"].get("tool_calls", [])]
        assert [piece["id"] for piece in pieces if "id" in piece] == ["call_g1_0", "call_g1_1"]
        assert [piece["index"] for piece in pieces] == [0, 0, 1, 1]
        assert STREAMED[OPENAI](said).calls == (("a", {"x": 1}), ("b", {}))
        assert STREAMED[OPENAI](said).stop == "tools"


@pytest.mark.parametrize("client", [OPENAI, ANTHROPIC])
def test_a_prompt_that_gemini_blocks_is_a_refusal(client: str) -> None:
    """No candidates, only the reason: a whole answer without content."""
    blocked = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5},
    }
    dialogue = opened(client, GEMINI)
    said = STREAMED[client](events(dialogue.feed(data(blocked)) + dialogue.finish()))
    assert (said.text, said.stop, said.input) == ("", "refusal", 5)
    plain = WHOLE[client](json.loads(translation(client, GEMINI).answer(200, json.dumps(blocked).encode())))
    assert plain == said


def test_thinking_is_told_apart_and_can_be_sent_back() -> None:
    """Anthropic's thinking is `reasoning_content` as it comes, and `thinking_blocks` once it is signed."""
    dialogue = opened(OPENAI, ANTHROPIC)
    out = dialogue.feed(
        MESSAGE_START
        + anthropic("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""})
        + anthropic("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm"})
        + anthropic("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "c2ln"})
        + anthropic("content_block_stop", index=0)
        + anthropic("content_block_start", index=1, content_block={"type": "redacted_thinking", "data": "xx"})
        + anthropic("content_block_stop", index=1)
    )
    deltas = [choice["delta"] for one in events(out) for choice in one["choices"]]
    assert deltas[1:] == [
        {"reasoning_content": "Hm"},
        {"thinking_blocks": [{"index": 0, "type": "thinking", "thinking": "Hm", "signature": "c2ln"}]},
        {"thinking_blocks": [{"index": 1, "type": "redacted_thinking", "data": "xx"}]},
    ]


def test_thinking_of_openai_providers_says_where_it_goes_back() -> None:
    """Its signature names the member it came in."""
    dialogue = opened(ANTHROPIC, OPENAI)
    out = dialogue.feed(chunk({"reasoning_content": "Hm"}) + chunk({"content": "Yes"}) + chunk({}, "stop"))
    deltas = [event["delta"] for event in events(out) if event["type"] == "content_block_delta"]
    assert deltas == [
        {"type": "thinking_delta", "thinking": "Hm"},
        {"type": "signature_delta", "signature": "openai_chat:reasoning_content"},
        {"type": "text_delta", "text": "Yes"},
    ]


def test_geminis_signatures_are_kept_for_the_next_turn() -> None:
    """On the thinking before a call; on thinking of its own where the signed text is already under way."""
    dialogue = opened(ANTHROPIC, GEMINI)
    out = (
        dialogue.feed(
            gemini([{"text": "Hm", "thought": True}])
            + gemini([{"functionCall": {"name": "a", "args": {}}, "thoughtSignature": "c2ln"}])
            + gemini([{"text": "Yes"}])
            + gemini([{"text": "", "thoughtSignature": "bW9y"}], "STOP")
        )
        + dialogue.finish()
    )
    starts = [event["content_block"]["type"] for event in events(out) if event["type"] == "content_block_start"]
    assert starts == ["thinking", "tool_use", "text", "thinking"]
    signatures = [event["delta"].get("signature") for event in events(out) if event["type"] == "content_block_delta"]
    assert [one for one in signatures if one] == ["gemini:c2ln", "gemini:bW9y"]


ONE, TWO = ("w", {"city": "Paris"}), ("w", {"city": "Rome"})


@pytest.mark.parametrize(
    "pieces",
    [
        [call(0, '{"city":', "a", "w"), call(0, '"Paris"}'), call(1, '{"city":', "b", "w"), call(1, '"Rome"}')],
        [call(0, "", "a", "w"), call(1, "", "b", "w"), call(1, '{"city":"Rome"}'), call(0, '{"city":"Paris"}')],
        [call(0, '{"city":"Pa', "a", "w"), call(1, '{"city":"Ro', "b", "w"), call(0, 'ris"}'), call(1, 'me"}')],
        [call(0, '{"city":"Paris"}', "a", "w"), call(0, '{"city":"Rome"}', "b", "w")],
        [call(None, '{"city":"Paris"}', "a", "w"), call(None, '{"city":"Rome"}', "b", "w")],
        [call(None, '{"city":"Paris"}', None, "w"), call(None, '{"city":"Rome"}', None, "w")],
        [call(0, '{"city":"Paris"}', "a", "w"), call(1, "", "b"), call(1, '{"city":"Rome"}', None, "w")],
    ],
    ids=["in order", "mixed", "interleaved", "all numbered 0", "not numbered", "no ids", "name late"],
)
def test_parallel_tool_calls_come_one_after_the_other(pieces: list[dict[str, Any]]) -> None:
    """However a provider numbers and mixes the pieces of its calls, each becomes one whole block."""
    stream = b"".join(chunk({"tool_calls": [piece]}) for piece in pieces) + chunk({}, "tool_calls") + DONE
    said = STREAMED[ANTHROPIC](events(opened(ANTHROPIC, OPENAI).feed(stream)))
    assert said.calls == (ONE, TWO)
    assert said.stop == "tools"


def test_tool_arguments_stream_on_while_their_call_is_the_first() -> None:
    """Nothing waits that need not."""
    dialogue = opened(ANTHROPIC, OPENAI)
    dialogue.feed(chunk({"tool_calls": [call(0, "", "a", "w")]}))
    out = events(dialogue.feed(chunk({"tool_calls": [call(0, '{"ci')]})))
    assert [event["delta"] for event in out] == [{"type": "input_json_delta", "partial_json": '{"ci'}]


def test_calls_without_arguments_are_valid_json_to_openais_clients() -> None:
    """Anthropic streams no arguments where there are none; OpenAI's clients parse what they get."""
    dialogue = opened(OPENAI, ANTHROPIC)
    block = {"type": "tool_use", "id": "t", "name": "now", "input": {}}
    out = dialogue.feed(
        MESSAGE_START
        + anthropic("content_block_start", index=0, content_block=block)
        + anthropic("content_block_stop", index=0)
        + anthropic("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 7})
        + anthropic("message_stop")
    )
    assert b'"arguments":"{}"' in out
    assert STREAMED[OPENAI](events(out)).calls == (("now", {}),)


def test_blocks_that_only_anthropic_has_are_passed_over_and_counted() -> None:
    """The text around them is kept; what the model wrote into them was generated all the same."""
    dialogue = opened(OPENAI, ANTHROPIC)
    out = dialogue.feed(
        MESSAGE_START
        + anthropic("content_block_start", index=0, content_block={"type": "text", "text": "A"})
        + anthropic("content_block_stop", index=0)
        + anthropic("content_block_start", index=1, content_block={"type": "server_tool_use", "id": "s", "input": {}})
        + anthropic("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"q":1}'})
        + anthropic("content_block_stop", index=1)
        + anthropic("content_block_start", index=2, content_block={"type": "brand_new", "text": "secret"})
        + anthropic("content_block_delta", index=2, delta={"type": "text_delta", "text": "no"})
        + anthropic("content_block_start", index=3, content_block={"type": "text", "text": ""})
        + anthropic("content_block_delta", index=3, delta={"type": "citations_delta", "citation": {}})
        + anthropic("content_block_delta", index=3, delta={"type": "text_delta", "text": "B"})
        + anthropic("what_is_this", new=1)
        + anthropic("message_delta", delta={"stop_reason": "pause_turn"}, usage=None)
        + anthropic("message_stop")
    )
    said = STREAMED[OPENAI](events(out))
    assert (said.text, said.calls, said.stop) == ("AB", (), "end")
    assert dialogue.delivered > len('AB{"q":1}no')


CONTENT = {
    OPENAI: chunk({"role": "assistant", "content": "Hel"}),
    ANTHROPIC: MESSAGE_START + anthropic("content_block_start", index=0, content_block={"type": "text", "text": "Hel"}),
    GEMINI: gemini([{"text": "Hel"}]),
    COHERE: data({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hel"}}}}),
}
ERROR = {
    OPENAI: data({"error": {"message": "overloaded", "code": 500}}),
    ANTHROPIC: anthropic("error", error={"type": "overloaded_error", "message": "overloaded"}),
    GEMINI: data({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}),
    COHERE: data({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "overloaded"}}),
}
PAIRS = [
    *((OPENAI, ANTHROPIC), (OPENAI, GEMINI), (OPENAI, COHERE)),
    *((ANTHROPIC, OPENAI), (ANTHROPIC, GEMINI), (ANTHROPIC, COHERE)),
]


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_stream_that_is_cut_ends_as_one_that_reached_its_limit(client: str, provider: str) -> None:
    """Cleanly, with what is known of usage, also before the first event; and nothing follows."""
    dialogue = opened(client, provider)
    out = dialogue.feed(CONTENT[provider]) + dialogue.cut()
    said = STREAMED[client](events(out))
    assert (said.text, said.stop) == ("Hel", "length")
    assert client != OPENAI or out.endswith(DONE)
    assert dialogue.feed(CONTENT[provider]) == b""
    assert dialogue.cut() == b""
    assert dialogue.abort(Unavailable("late")) == b""
    assert STREAMED[client](events(opened(client, provider).cut())).stop == "length"


def test_a_chat_that_is_cut_tells_no_usage_that_it_does_not_know() -> None:
    """Anthropic's first event counts a token of output; what follows is counted at the end, which is never seen."""
    dialogue = opened(OPENAI, ANTHROPIC)
    out = dialogue.feed(CONTENT[ANTHROPIC]) + dialogue.cut()
    assert dialogue.usage is not None
    assert b'"completion_tokens"' not in out


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_an_error_inside_the_stream_is_raised_after_what_came_before_it(client: str, provider: str) -> None:
    """The content before it goes out, nothing after it does, and the stream is never told to be whole."""
    dialogue = opened(client, provider)
    out = dialogue.feed(CONTENT[provider] + ERROR[provider] + CONTENT[provider])
    assert out.count(b"Hel") == 1
    with pytest.raises(UpstreamFailed) as raised:
        dialogue.finish()
    assert raised.value.message == "overloaded"
    told = dialogue.abort(raised.value)
    assert b"overloaded" in told
    assert b"[DONE]" not in told
    assert not dialogue.complete


@pytest.mark.parametrize("broken", [b"data: {not json\n\n", b"data: [1]\n\n", b'data: "x"\n\n'])
@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_stream_that_is_none_is_an_upstream_failure(client: str, provider: str, broken: bytes) -> None:
    """Not something to guess about."""
    dialogue = opened(client, provider)
    assert b"Hel" in dialogue.feed(CONTENT[provider] + broken)
    with pytest.raises(UpstreamFailed):
        dialogue.finish()


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_stream_that_breaks_off_is_not_whole(client: str, provider: str) -> None:
    """A provider that hangs up early is told to the client as a failure."""
    for before in (b"", CONTENT[provider]):
        dialogue = opened(client, provider)
        dialogue.feed(before)
        assert not dialogue.complete
        with pytest.raises(UpstreamFailed):
            dialogue.finish()


def test_a_last_event_without_its_blank_line_counts() -> None:
    """Some providers save the last two bytes."""
    dialogue = opened(OPENAI, GEMINI)
    out = dialogue.feed(gemini([{"text": "Hi"}], "STOP")[:-2])
    out += dialogue.finish()
    assert STREAMED[OPENAI](events(out)).text == "Hi"


def test_an_openai_stream_is_whole_with_its_finish_reason() -> None:
    """Some providers leave `[DONE]` out."""
    dialogue = opened(ANTHROPIC, OPENAI)
    out = dialogue.feed(CONTENT[OPENAI] + chunk({}, "stop", usage=USAGE)) + dialogue.finish()
    assert STREAMED[ANTHROPIC](events(out)).output == 7


@pytest.mark.parametrize("reason", ["error", "network_error", "insufficient_system_resource"])
def test_answers_that_the_provider_broke_off_are_failures(reason: str) -> None:
    """Their finish reasons say so, plain or streamed."""
    dialogue = opened(ANTHROPIC, OPENAI)
    assert b"Hel" in dialogue.feed(CONTENT[OPENAI] + chunk({}, reason) + DONE)
    with pytest.raises(UpstreamFailed, match=reason):
        dialogue.finish()
    plain = {"choices": [{"message": {"content": "Hel"}, "finish_reason": reason}]}
    with pytest.raises(UpstreamFailed, match=reason):
        translation(ANTHROPIC, OPENAI).answer(200, json.dumps(plain).encode())


def test_hidden_tokens_are_expected_where_models_think() -> None:
    """What is not shown may be billed: known models, requests that ask for it, and Gemini unless it is told not to."""
    effort = least_request(OPENAI) | {"reasoning_effort": "high"}
    assert translation(OPENAI, ANTHROPIC, effort).hidden_tokens
    assert not translation(OPENAI, ANTHROPIC).hidden_tokens
    assert not translation(ANTHROPIC, OPENAI, model="gpt-4o").hidden_tokens
    assert translation(ANTHROPIC, OPENAI, model="openai/o3").hidden_tokens
    assert translation(ANTHROPIC, OPENAI, hidden_tokens=True).hidden_tokens
    assert translation(OPENAI, GEMINI).hidden_tokens
    assert not translation(OPENAI, GEMINI, effort | {"reasoning_effort": "none"}).hidden_tokens


def test_thinking_that_nobody_asked_for_hides_tokens_where_it_is_abridged() -> None:
    """Anthropic shows summaries of what it bills; OpenAI-compatible providers show what they bill."""
    dialogue = opened(OPENAI, ANTHROPIC)
    dialogue.feed(anthropic("content_block_start", index=0, content_block={"type": "thinking", "thinking": "Hm"}))
    assert dialogue.hidden_tokens
    dialogue = opened(ANTHROPIC, OPENAI)
    dialogue.feed(chunk({"reasoning_content": "Hm"}))
    assert not dialogue.hidden_tokens
