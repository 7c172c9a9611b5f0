"""What is read off the events of a message, and how its stream is ended early."""

import json
from typing import Any

import pytest

from headgate.wire.anthropic_messages.meter import MessagesMeter
from headgate.wire.sse import Event, EventSplitter

START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "content": [],
        "usage": {"input_tokens": 20, "cache_read_input_tokens": 7, "output_tokens": 1},
    },
}


def event(value: dict[str, Any]) -> Event:
    data = json.dumps(value, ensure_ascii=False).encode()
    return Event(value["type"].encode(), data, data)


def block(index: int, **members: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": members}


def delta(index: int, **members: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": members}


def fed(*values: dict[str, Any]) -> MessagesMeter:
    reader = MessagesMeter("claude")
    for value in values:
        assert reader.event(event(value))
    return reader


def cut_events(reader: MessagesMeter) -> list[Any]:
    events = EventSplitter().feed(reader.cut())
    read = [json.loads(event.data) for event in events]
    assert [event.name.decode() for event in events] == [data["type"] for data in read]
    return read


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (delta(0, type="text_delta", text="é日"), 5),
        (delta(0, type="thinking_delta", thinking="hm"), 2),
        (delta(0, type="input_json_delta", partial_json='{"a'), 3),
        (delta(0, type="signature_delta", signature="xxxx"), 0),
        (delta(0, type="compaction_delta", content="abc"), 3),
        (block(0, type="text", text=""), 0),
        (block(0, type="text", text="ab"), 2),
        (block(0, type="tool_use", id="t", name="get", input={}), 3),
        (block(0, type="tool_use", id="t", name="get", input={"a": 1}), 10),
        (block(0, type="web_fetch_tool_result", content={"text": "not generated"}), 0),
        ({"type": "ping"}, 0),
        ({"type": "something_new", "delta": {"text": "x"}}, 0),
    ],
)
def test_delivered_counts_what_was_generated(value: dict[str, Any], length: int) -> None:
    """In UTF-8 bytes: text, thinking and the input of tools, not their results."""
    assert fed(value).delivered == length


def test_usage_adds_up_over_the_stream() -> None:
    """What the last report does not know stays as the first one had it."""
    reader = fed(START)
    assert reader.usage is not None
    assert reader.usage.counts == {"input": 20, "cache_read": 7, "output": 1}
    reader = fed(START, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}})
    assert reader.usage is not None
    assert reader.usage.counts == {"input": 20, "cache_read": 7, "output": 15}
    assert json.loads(reader.usage.raw)["output_tokens"] == 15


def test_a_stream_is_whole_with_message_stop() -> None:
    """A stop reason alone is not the end."""
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}}
    assert not fed(START, end).complete
    assert fed(START, end, {"type": "message_stop"}).complete


def test_a_stream_that_failed_is_never_whole() -> None:
    """`overloaded_error` comes in mid-stream."""
    reader = fed(START, {"type": "error", "error": {"type": "overloaded_error"}}, {"type": "message_stop"})
    assert reader.failed
    assert not reader.complete


def test_an_error_after_the_end_changes_nothing() -> None:
    """All of the answer was there, and its usage."""
    reader = fed(START, {"type": "message_stop"}, {"type": "error", "error": {"type": "api_error"}})
    assert (reader.failed, reader.complete) == (False, True)


@pytest.mark.parametrize("kind", ["thinking", "redacted_thinking"])
def test_thinking_hides_tokens(kind: str) -> None:
    """It is billed in full and shown abridged, or not at all."""
    assert fed(block(0, type=kind, thinking="")).hidden_tokens
    assert not fed(block(0, type="text", text="")).hidden_tokens
    whole = MessagesMeter("claude")
    whole.answer(json.dumps({"content": [{"type": kind, "thinking": "a"}, {"type": "text", "text": "b"}]}).encode())
    assert whole.hidden_tokens
    assert whole.delivered == 2


def test_usage_is_read_whatever_stands_beside_it() -> None:
    """An answer of an unknown shape counts as delivered in full, and as the provider says."""
    reader, body = MessagesMeter("m"), b'{"content":[7],"usage":{"input_tokens":1,"output_tokens":2}}'
    reader.answer(body)
    assert reader.usage is not None
    assert reader.usage.counts == {"input": 1, "output": 2}
    assert reader.delivered == len(body)


def test_a_cut_closes_what_is_open() -> None:
    """The blocks, then the message, at its length and with the usage known so far."""
    reader = fed(
        START,
        block(0, type="text", text=""),
        {"type": "content_block_stop", "index": 0},
        block(1, type="tool_use", id="t", name="get", input={}),
        delta(1, type="input_json_delta", partial_json='{"a'),
    )
    assert cut_events(reader) == [
        {"type": "content_block_stop", "index": 1},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "max_tokens", "stop_sequence": None},
            "usage": {"output_tokens": 1, "input_tokens": 20, "cache_read_input_tokens": 7},
        },
        {"type": "message_stop"},
    ]


def test_a_cut_before_anything_came_is_still_a_message() -> None:
    """An empty one, of the model that was asked."""
    start, end, stop = cut_events(MessagesMeter("claude"))
    assert start["message"]["model"] == "claude"
    assert start["message"]["content"] == []
    assert end["delta"]["stop_reason"] == "max_tokens"
    assert end["usage"] == {"output_tokens": 0}
    assert stop == {"type": "message_stop"}


def test_a_cut_after_the_end_adds_nothing() -> None:
    """After the stop reason only `message_stop` is owed, after that nothing."""
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}}
    assert cut_events(fed(START, end)) == [{"type": "message_stop"}]
    assert fed(START, end, {"type": "message_stop"}).cut() == b""
