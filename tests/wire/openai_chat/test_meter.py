"""What is read off the chunks of a completion, and how its stream is ended early."""

import json
from typing import Any

import pytest

from headgate.base.errors import Exhausted
from headgate.wire.openai_chat.meter import CompletionMeter
from headgate.wire.sse import Event, EventSplitter

CHUNK = "chat.completion.chunk"


def meter(choices: int = 1, asked: bool = False, object_name: str = CHUNK) -> CompletionMeter:
    return CompletionMeter(object_name, choices, asked, hidden_tokens=False)


def chunk(value: object, name: bytes = b"") -> Event:
    data = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    return Event(name, data, b"data: " + data + b"\n\n")


def delta(finish: str | None = None, index: int = 0, **members: Any) -> Event:
    choices = [{"index": index, "delta": members, "finish_reason": finish}]
    return chunk({"id": "c1", "created": 5, "model": "m", "object": CHUNK, "choices": choices})


DONE = chunk(b"[DONE]")
USAGE = chunk({"id": "c1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})


def cut_events(reader: CompletionMeter) -> list[Any]:
    events = EventSplitter().feed(reader.cut())
    assert events[-1].data == b"[DONE]"
    return [json.loads(event.data) for event in events[:-1]]


@pytest.mark.parametrize(
    ("members", "length"),
    [
        ({"content": "é日"}, 5),
        ({"content": ""}, 0),
        ({"content": None, "role": "assistant"}, 0),
        ({"refusal": "no"}, 2),
        ({"reasoning_content": "hm"}, 2),
        ({"reasoning": "hmm", "reasoning_content": "hmm"}, 3),
        ({"content": "a", "reasoning": "bc"}, 3),
        ({"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "get", "arguments": ""}}]}, 3),
        ({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}, {"index": 1, "function": None}]}, 5),
        ({"tool_calls": [{"function": {"name": "get", "arguments": {"city": "Rome"}}}]}, 7),
        ({"function_call": {"name": "f", "arguments": "{}"}}, 3),
        ({"content": [{"type": "text", "text": "abcd"}]}, 8),
        ({"audio": {"transcript": "hi", "data": "QUJD"}}, 6),
    ],
)
def test_delivered_counts_what_was_generated(members: dict[str, Any], length: int) -> None:
    """In UTF-8 bytes, under whichever name a provider sends it."""
    reader = meter()
    assert reader.event(delta(**members))
    assert reader.delivered == length


def test_a_stream_is_whole_with_done() -> None:
    """Even where no finish reason came."""
    reader = meter()
    reader.event(delta(content="a"))
    assert not reader.complete
    assert reader.event(DONE)
    assert reader.complete


def test_a_stream_is_whole_when_every_choice_has_finished() -> None:
    """Some providers leave `[DONE]` out, and some say twice that a choice has finished."""
    reader = meter(choices=2)
    reader.event(delta("stop", 0))
    reader.event(delta("stop", 0))
    assert not reader.complete
    reader.event(delta("length", 1))
    assert reader.complete


@pytest.mark.parametrize("failure", [chunk({"error": {"message": "no"}}), chunk({"message": "no"}, b"error")])
def test_a_stream_that_failed_is_never_whole(failure: Event) -> None:
    """Whatever comes before or after the error."""
    reader = meter()
    reader.event(delta("stop"))
    assert reader.event(failure)
    assert not reader.complete
    reader = meter()
    assert reader.event(failure)
    reader.event(delta("stop"))
    reader.event(DONE)
    assert reader.failed
    assert not reader.complete


def test_only_a_chunk_of_nothing_but_usage_is_withheld() -> None:
    """And only from a client that did not ask for it; it is read all the same."""
    reader = meter()
    assert not reader.event(USAGE)
    assert reader.usage is not None
    assert reader.usage.counts == {"input": 3, "output": 2}
    assert meter(asked=True).event(USAGE)
    assert meter().event(chunk({"choices": [], "usage": None}))
    assert meter().event(chunk({"choices": [], "prompt_filter_results": []}))
    assert meter().event(chunk({"choices": [{"index": 0, "delta": {}}], "usage": {"prompt_tokens": 1}}))
    assert meter().event(chunk({"usage": {"prompt_tokens": 1}}))


def test_the_last_usage_counts() -> None:
    """Some providers report running totals in every chunk; Groq has its own place for the last one."""
    reader = meter()
    for tokens in (1, 2):
        reader.event(chunk({"choices": [{"delta": {}}], "usage": {"prompt_tokens": 9, "completion_tokens": tokens}}))
    assert reader.usage is not None
    assert reader.usage.counts == {"input": 9, "output": 2}
    reader.event(
        chunk({"choices": [], "usage": None, "x_groq": {"usage": {"prompt_tokens": 9, "completion_tokens": 7}}})
    )
    assert reader.usage.counts == {"input": 9, "output": 7}


def test_a_cut_ends_every_open_choice_at_its_length() -> None:
    """As if the limit had been reached: same id, finish reason `length`, then `[DONE]`."""
    reader = meter(choices=2)
    reader.event(delta(content="a", index=0))
    reader.event(delta("stop", 1))
    (end,) = cut_events(reader)
    choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}
    assert end == {"id": "c1", "created": 5, "model": "m", "object": CHUNK, "choices": [choice]}


def test_a_cut_reports_usage_to_a_client_that_asked() -> None:
    """What the provider reported so far."""
    reader = meter(asked=True)
    reader.event(
        chunk(
            {
                "id": "c1",
                "choices": [{"delta": {"content": "a"}}],
                "usage": {"prompt_tokens": 9, "completion_tokens": 1},
            }
        )
    )
    end, usage = cut_events(reader)
    assert end["choices"][0]["finish_reason"] == "length"
    assert usage["choices"] == []
    assert usage["usage"] == {"prompt_tokens": 9, "completion_tokens": 1}


def test_a_cut_before_anything_came_is_still_an_answer() -> None:
    """One choice that reached its length."""
    (end,) = cut_events(meter())
    assert end["choices"][0]["finish_reason"] == "length"
    (end,) = cut_events(meter(object_name="text_completion"))
    assert end["object"] == "text_completion"
    assert end["choices"] == [{"index": 0, "text": "", "logprobs": None, "finish_reason": "length"}]


def test_a_cut_after_the_end_adds_nothing() -> None:
    """After the finish reason only `[DONE]` is owed, after `[DONE]` nothing."""
    reader = meter()
    reader.event(delta("stop"))
    assert reader.cut() == b"data: [DONE]\n\n"
    reader.event(DONE)
    assert reader.cut() == b""


def test_an_error_is_told_without_an_end() -> None:
    """OpenAI's SDK raises at `error`; `[DONE]` would say that all is well."""
    told = meter().abort(Exhausted("used up"))
    assert told.startswith(b'data: {"error":{"message":"used up"')
    assert b"[DONE]" not in told


def test_usage_is_read_whatever_stands_beside_it() -> None:
    """An answer of an unknown shape counts as delivered in full, and as the provider says."""
    reader, body = (
        meter(),
        b'{"choices":[{"message":7}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}',
    )
    reader.answer(body)
    assert reader.usage is not None
    assert reader.usage.counts == {"input": 1, "output": 2}
    assert reader.delivered == len(body)


def test_whole_answers_are_measured_alike() -> None:
    """The message of a whole answer counts like its deltas; text completions have `text`."""
    reader = meter()
    reader.answer(
        b'{"choices":[{"message":{"content":"abc","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}]}'
    )
    assert reader.delivered == 6
    assert reader.complete
    reader = meter(object_name="text_completion")
    reader.answer(b'{"choices":[{"text":"ab"},{"text":"c"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}')
    assert reader.delivered == 3
    assert reader.usage is not None
    assert reader.usage.total_tokens == 3
