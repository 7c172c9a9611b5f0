"""The text of requests and answers, as guardrails see it."""

import json
from typing import Any

import pytest

from headgate.base.errors import UpstreamFailed
from headgate.wire.document import Document
from headgate.wire.sse import EventSplitter
from headgate.wire.texts import StreamText, answer_text, kept_text, request_text

TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"q": "asked"}'}}


@pytest.mark.parametrize(
    ("format_name", "body", "text"),
    [
        (
            "openai_chat",
            {
                "model": "m",
                "messages": [
                    {"role": "system", "content": "Be kind."},
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "Look:"},
                            {"type": "image_url", "image_url": {"url": "u"}},
                        ],
                    },
                    {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]},
                    {"role": "tool", "tool_call_id": "call_1", "content": "found"},
                ],
                "tools": [{"type": "function", "function": {"name": "f", "description": "not looked at"}}],
            },
            'Be kind.\nLook:\n{"q": "asked"}\nfound',
        ),
        ("openai_completions", {"prompt": ["a", "b"], "suffix": "c"}, "a\nb\nc"),
        ("openai_completions", {"prompt": [1, 2]}, ""),
        ("openai_embeddings", {"input": "a"}, "a"),
        ("openai_chat", {"messages": [], "prediction": {"type": "content", "content": "p"}}, "p"),
        (
            "openai_responses",
            {"input": "i", "prompt": {"id": "pmpt_1", "version": "2", "variables": {"name": "n", "id": "x"}}},
            "i\nn\nx",
        ),
        ("rerank", {"query": "q", "documents": ["a", {"title": "t", "name": "n"}]}, "q\na\nt\nn"),
        ("openai_speech", {"input": "say", "instructions": "so", "voice": "alloy"}, "so\nsay"),
        ("openai_moderations", {"input": [{"type": "text", "text": "t"}]}, "t"),
        ("openai_images", {"prompt": "p", "size": "1x1"}, "p"),
        (
            "anthropic_messages",
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "document",
                                "title": "t",
                                "source": {"type": "text", "media_type": "text/plain", "data": "d"},
                            },
                            {"type": "document", "source": {"type": "base64", "data": "JVBER"}},
                        ],
                    }
                ]
            },
            "t\nd",
        ),
        (
            "openai_responses",
            {
                "instructions": "i",
                "input": [
                    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "t"}]},
                    {"type": "function_call_output", "call_id": "c", "output": "o"},
                ],
            },
            "i\nt\no",
        ),
        (
            "anthropic_messages",
            {
                "system": [{"type": "text", "text": "s"}],
                "messages": [
                    {
                        "role": "assistant",
                        "content": [{"type": "tool_use", "id": "x", "name": "n", "input": {"type": "all"}}],
                    },
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": "r"}]},
                ],
            },
            "s\nall\nr",
        ),
    ],
)
def test_of_a_request(format_name: str, body: dict[str, Any], text: str) -> None:
    """All that is read as text, in its order, and nothing else."""
    assert request_text(format_name, Document(json.dumps(body).encode())) == text


def test_deep_requests_do_not_exhaust_the_stack() -> None:
    """How deep it is nested is the client's choice."""
    content: object = "hidden"
    for _ in range(400):
        content = [{"type": "text", "content": content}]
    body = {"messages": [{"role": "user", "content": content}]}
    assert request_text("openai_chat", Document(json.dumps(body).encode())) == "hidden"


@pytest.mark.parametrize(
    ("format_name", "body", "text"),
    [
        (
            "openai_chat",
            {"choices": [{"message": {"role": "assistant", "content": "a"}}, {"message": {"refusal": "no"}}]},
            "a\nno",
        ),
        ("openai_completions", {"choices": [{"text": "a", "logprobs": {"tokens": ["a"]}}]}, "a"),
        ("openai_responses", {"output": [{"type": "message", "content": [{"type": "output_text", "text": "a"}]}]}, "a"),
        (
            "anthropic_messages",
            {"content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "a"}]},
            "hm\na",
        ),
        ("openai_transcriptions", {"text": "heard", "segments": [{"text": "heard"}]}, "heard"),
    ],
)
def test_of_an_answer(format_name: str, body: dict[str, Any], text: str) -> None:
    """What the client would read."""
    assert answer_text(format_name, json.dumps(body).encode()) == text


def test_a_transcript_may_be_text_alone() -> None:
    """Subtitles too."""
    assert answer_text("openai_transcriptions", b"1\n00:00 --> 00:01\nheard\n") == "1\n00:00 --> 00:01\nheard\n"


def test_of_what_is_kept() -> None:
    """What a model said: of a response, and among the items that it was made from; not what the client did."""
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}
    asked = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "u"}]}
    assert kept_text(json.dumps({"output": [said]}).encode()) == "a"
    assert kept_text(json.dumps({"object": "list", "data": [asked, said]}).encode()) == "a"
    assert kept_text(b'{"status": "queued"}') == ""


def test_what_is_no_answer_is_not_let_through() -> None:
    """There is nothing that could be checked."""
    with pytest.raises(UpstreamFailed):
        answer_text("openai_chat", b"[]")


@pytest.mark.parametrize(
    ("format_name", "events", "text"),
    [
        (
            "openai_chat",
            [
                {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "sec"}}]},
                {"choices": [{"index": 1, "delta": {"content": "other"}}]},
                {"choices": [{"index": 0, "delta": {"content": "ret"}}]},
                {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}}]},
                {"choices": [], "usage": {}},
            ],
            "secret\nother\n{}",
        ),
        (
            "openai_completions",
            [{"choices": [{"index": 0, "text": "a"}]}, {"choices": [{"index": 0, "text": "b"}]}],
            "ab",
        ),
        (
            "openai_responses",
            [
                {"type": "response.output_text.delta", "item_id": "1", "content_index": 0, "delta": "a"},
                {"type": "response.output_text.delta", "item_id": "1", "content_index": 0, "delta": "b"},
                {"type": "response.output_text.done", "text": "ab"},
            ],
            "ab",
        ),
        (
            "anthropic_messages",
            [
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "b"}},
                {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{"}},
            ],
            "ab\n{",
        ),
    ],
)
def test_of_a_stream(format_name: str, events: list[dict[str, Any]], text: str) -> None:
    """The same, whatever the network cut: words that are split over events are whole again."""
    stream = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events) + b"data: [DONE]\n\n"
    for size in (1, 7, len(stream)):
        splitter, found = EventSplitter(), StreamText(format_name)
        for start in range(0, len(stream), size):
            for event in splitter.feed(stream[start : start + size]):
                found.add(event)
        for event in splitter.finish():
            found.add(event)
        assert found.text() == text
