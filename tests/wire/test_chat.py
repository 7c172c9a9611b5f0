"""The neutral conversation survives every format that can express it."""

import json
from itertools import chain
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.wire.anthropic_messages import answer as anthropic_answer
from headgate.wire.anthropic_messages import request_reader as anthropic_reader
from headgate.wire.anthropic_messages import request_writer as anthropic_writer
from headgate.wire.chat import (
    Answer,
    CacheMarker,
    Chat,
    Envelope,
    File,
    Image,
    JsonFormat,
    Message,
    Reasoning,
    RedactedThinking,
    Stop,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    arguments_object,
)
from headgate.wire.openai_chat import answer as openai_answer
from headgate.wire.openai_chat import request_reader as openai_reader
from headgate.wire.openai_chat import request_writer as openai_writer

WORDS = st.text(min_size=1, max_size=20)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
OBJECTS = st.dictionaries(WORDS, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS, max_size=3)
SCHEMAS = st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(NAMES, OBJECTS, max_size=2)})
TEXTS = st.builds(Text, WORDS)
IMAGES = st.builds(Image, st.just("image/png"), st.just("iVBORw0K")) | st.builds(
    Image, url=st.just("https://a.b/c.png")
)
FILES = st.builds(File, st.just("application/pdf"), st.just("JVBE"), name=NAMES)
CALLS = st.builds(
    ToolCall, NAMES, NAMES, OBJECTS.map(lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False))
)
RESULTS = st.builds(ToolResult, NAMES, st.lists(TEXTS, max_size=2).map(tuple))


def messages(user: st.SearchStrategy[Any], assistant: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Message, ...]]:
    """Turns that begin with the user's; results of tools are a message of their own, and no two follow each other."""
    said = st.builds(Message, st.just("user"), user)
    answered = st.builds(Message, st.just("assistant"), assistant)
    results = st.builds(Message, st.just("user"), st.lists(RESULTS, min_size=1, max_size=2).map(tuple))
    later = st.tuples(answered, results, said) | st.tuples(answered, said)
    return st.tuples(said, st.lists(later, max_size=2)).map(lambda turns: (turns[0], *chain(*turns[1])))


TOOLS = st.builds(Tool, NAMES, st.none() | WORDS, SCHEMAS, st.booleans())
CHOICES = st.sampled_from([ToolChoice("auto"), ToolChoice("none"), ToolChoice("required"), ToolChoice("named", "f")])
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "tools": st.lists(TOOLS, min_size=1, max_size=2).map(tuple),
    "tool_choice": st.none() | CHOICES,
    "max_tokens": st.integers(1, 100_000),
    "temperature": st.none() | st.floats(0, 1),
    "top_p": st.none() | st.floats(0, 1),
    "stop": st.lists(WORDS, max_size=4).map(tuple),
    "stream": st.booleans(),
    "user": st.none() | NAMES,
}
OPENAI_CHATS = st.builds(
    Chat,
    messages=messages(
        st.lists(TEXTS | IMAGES | FILES, min_size=1, max_size=3).map(tuple),
        st.tuples(st.lists(TEXTS, min_size=1, max_size=2), st.lists(CALLS, max_size=2)).map(lambda p: (*p[0], *p[1])),
    ),
    system=st.lists(TEXTS, max_size=2).map(tuple),
    parallel_tools=st.booleans(),
    frequency_penalty=st.none() | st.floats(0.1, 2),
    seed=st.none() | st.integers(0, 100),
    response_format=st.none() | st.just(JsonFormat())
    | st.builds(JsonFormat, SCHEMAS, NAMES, st.none() | WORDS, st.booleans()),
    reasoning=st.none() | st.builds(Reasoning, st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh"])),
    **COMMON,
)  # fmt: skip

MARKERS = st.none() | st.builds(CacheMarker, st.sampled_from([None, "5m", "1h"]))
MARKED_TEXTS = st.builds(Text, WORDS, MARKERS)
THINKING = st.builds(Thinking, WORDS, st.just("c2ln")) | st.builds(RedactedThinking, WORDS)
ANTHROPIC_CHATS = st.builds(
    Chat,
    messages=messages(
        st.lists(MARKED_TEXTS | IMAGES | FILES, min_size=1, max_size=3).map(tuple),
        st.lists(MARKED_TEXTS | CALLS | THINKING, min_size=1, max_size=3).map(tuple),
    ),
    system=st.lists(MARKED_TEXTS, max_size=2).map(tuple),
    top_k=st.none() | st.integers(1, 100),
    response_format=st.none() | st.builds(JsonFormat, SCHEMAS),
    reasoning=st.none()
    | st.builds(Reasoning, st.sampled_from(["none", "low", "high", "max"]))
    | st.builds(Reasoning, budget=st.integers(1_024, 9_999))
    | st.just(Reasoning(shown=False)),
    include_usage=st.just(True),
    cache=MARKERS,
    **COMMON,
)


@settings(deadline=None)
@given(OPENAI_CHATS)
def test_a_conversation_survives_openais_format(chat: Chat) -> None:
    """Written and read again it is the same; the answer's JSON mode has no schema to keep."""
    written = openai_writer.write_request(chat, "m")
    asks_usage = {"include_usage": chat.stream}
    again = openai_reader.read_request(json.loads(json.dumps(written)))
    assert again == Chat(**{**members(chat), **asks_usage})


@settings(deadline=None)
@given(ANTHROPIC_CHATS)
def test_a_conversation_survives_anthropics_format(chat: Chat) -> None:
    """Written and read again it is the same, markers and signed thinking included."""
    written = anthropic_writer.write_request(chat, "claude-opus-4-6")
    assert anthropic_reader.read_request(json.loads(json.dumps(written))) == chat


def members(chat: Chat) -> dict[str, Any]:
    return {name: getattr(chat, name) for name in chat.__dataclass_fields__}


ANSWERS = st.builds(
    Answer,
    st.just("id"),
    st.just("model"),
    st.tuples(st.lists(THINKING, max_size=1), st.lists(TEXTS, max_size=1), st.lists(CALLS, max_size=2)).map(
        lambda parts: (*parts[0], *parts[1], *parts[2])
    ),
    st.sampled_from([Stop.END, Stop.LENGTH, Stop.TOOL_CALLS, Stop.REFUSAL]),
)


@settings(deadline=None)
@given(ANSWERS)
def test_an_answer_survives_anthropics_format(answer: Answer) -> None:
    """Apart from usage, of which its clients need zeros where none is known."""
    again = anthropic_answer.read_answer(anthropic_answer.write_answer(answer, Envelope("", "")))
    calls = any(isinstance(part, ToolCall) for part in answer.parts)
    assert again.parts == answer.parts
    assert again.stop == (Stop.TOOL_CALLS if calls and answer.stop is Stop.END else answer.stop)


@settings(deadline=None)
@given(ANSWERS)
def test_an_answer_survives_openais_format(answer: Answer) -> None:
    """Text, calls and stop reason; thinking is kept for its provider beside the text."""
    written = openai_answer.write_answer(answer, Envelope("", ""))
    again = openai_answer.read_answer(written)
    assert [part for part in again.parts if not isinstance(part, Thinking)] == [
        part for part in answer.parts if not isinstance(part, Thinking | RedactedThinking)
    ]
    message = json.loads(written)["choices"][0]["message"]
    turn = {"messages": [{"role": "user", "content": "?"}, message]}
    assert openai_reader.read_request(turn).messages[1].parts == answer.parts


def test_arguments_are_objects_or_kept_whole() -> None:
    """Formats that want an object get one, whatever the model wrote."""
    assert arguments_object('{"a":1}') == {"a": 1}
    assert arguments_object(" ") == {}
    for broken in ("{", "[1]", '"x"', "[" * 100_000):
        assert arguments_object(broken) == {"INVALID_JSON": broken}
