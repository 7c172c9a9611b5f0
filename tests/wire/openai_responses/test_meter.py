"""What is read off the events of a response, and how its stream is ended early."""

import json
from typing import Any

import pytest

from headgate.base.errors import Unavailable
from headgate.wire.openai_responses.meter import ResponseMeter
from headgate.wire.sse import Event, EventSplitter

CREATED = {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "model": "m", "output": []}}
MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "content": [{"type": "output_text", "text": "é日", "annotations": ["x" * 50]}],
}
USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def fed(*values: dict[str, Any]) -> ResponseMeter:
    reader = ResponseMeter()
    for number, value in enumerate(values):
        data = json.dumps({"sequence_number": number, **value}, ensure_ascii=False).encode()
        assert reader.event(Event(value["type"].encode(), data, data))
    return reader


def added(**item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": 0, "item": item}


def done(**item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": 0, "item": item}


@pytest.mark.parametrize(
    ("events", "length"),
    [
        ([added(type="message"), {"type": "response.output_text.delta", "delta": "é日"}, done(**MESSAGE)], 5),
        ([added(type="message"), {"type": "response.refusal.delta", "delta": "no"}], 2),
        ([{"type": "response.reasoning_text.delta", "delta": "hm"}], 2),
        (
            [
                added(type="function_call", name="get"),
                {"type": "response.function_call_arguments.delta", "delta": "{}"},
            ],
            5,
        ),
        ([added(type="tool_search_call"), done(type="tool_search_call", arguments={"queries": ["abc"]})], 3),
        ([{"type": "response.output_text.done", "text": "said already"}], 0),
        ([{"type": "response.something.new", "delta": "x"}], 0),
    ],
)
def test_delivered_counts_what_was_generated(events: list[dict[str, Any]], length: int) -> None:
    """In UTF-8 bytes, each byte once: deltas, and the items that come without."""
    assert fed(*events).delivered == length


@pytest.mark.parametrize("end", ["response.completed", "response.incomplete", "response.failed"])
def test_a_stream_is_whole_with_its_last_event(end: str) -> None:
    """Each of the three is an answer, with its usage and its searches."""
    output = [
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call", "action": {"type": "open_page"}},
    ]
    reader = fed(CREATED, {"type": end, "response": {"output": output, "usage": USAGE}})
    assert reader.complete
    assert reader.usage is not None
    assert reader.usage.counts == {"input": 3, "output": 2, "web_search": 1}


def test_a_stream_that_failed_is_never_whole() -> None:
    """The `error` event is the provider's word."""
    reader = fed(CREATED, {"type": "error", "message": "no"}, {"type": "response.completed", "response": {}})
    assert reader.failed
    assert not reader.complete


def test_an_error_after_the_end_changes_nothing() -> None:
    """All of the answer was there, and its usage."""
    reader = fed(CREATED, {"type": "response.completed", "response": {}}, {"type": "error", "message": "no"})
    assert (reader.failed, reader.complete) == (False, True)


def test_done_is_not_an_event() -> None:
    """OpenRouter sends `[DONE]` after a response."""
    reader = ResponseMeter()
    assert reader.event(Event(b"", b"[DONE]", b"data: [DONE]\n\n"))
    assert not reader.complete
    assert reader.delivered == 0


def test_reasoning_hides_tokens() -> None:
    """It is shown in summary, or not at all."""
    assert fed(added(type="reasoning")).hidden_tokens
    assert not fed(added(type="message")).hidden_tokens
    whole = ResponseMeter()
    whole.answer(json.dumps({"output": [{"type": "reasoning", "summary": []}, MESSAGE], "usage": USAGE}).encode())
    assert whole.hidden_tokens
    assert whole.delivered == 5


def test_a_cut_ends_the_response_at_its_length() -> None:
    """With what was whole by then, in the order of the stream."""
    reader = fed(CREATED, done(**MESSAGE), added(type="message"), {"type": "response.output_text.delta", "delta": "x"})
    (event,) = EventSplitter().feed(reader.cut())
    assert event.name == b"response.incomplete"
    assert json.loads(event.data) == {
        "type": "response.incomplete",
        "sequence_number": 4,
        "response": {
            "id": "resp_1",
            "model": "m",
            "output": [MESSAGE],
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "usage": None,
        },
    }


def test_a_cut_after_the_end_adds_nothing() -> None:
    """The response has had its last event."""
    assert fed(CREATED, {"type": "response.completed", "response": {}}).cut() == b""


def test_a_cut_before_anything_came_is_still_an_event() -> None:
    """Nothing of the response is known, and it is told to be incomplete."""
    (event,) = EventSplitter().feed(ResponseMeter().cut())
    assert json.loads(event.data)["response"]["status"] == "incomplete"


def test_an_error_takes_the_next_number() -> None:
    """Events of a response are numbered."""
    (event,) = EventSplitter().feed(fed(CREATED).abort(Unavailable("draining")))
    assert event.name == b"error"
    told = json.loads(event.data)
    assert (told["type"], told["message"], told["sequence_number"]) == ("error", "draining", 1)
