"""What goes to Cohere: the conversation in its words, or a 400 that names what it has no word for."""

from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from tests.support.translating import ANTHROPIC, COHERE, OPENAI, least_request, sent

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "Tells it", "parameters": SCHEMA}}
TIME = {"type": "function", "function": {"name": "time"}}
ANTHROPIC_TOOL = {"name": "weather", "input_schema": SCHEMA}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}


def openai(**members: Any) -> dict[str, Any]:
    return sent(OPENAI, COHERE, least_request(OPENAI) | members)


def anthropic(**members: Any) -> dict[str, Any]:
    return sent(ANTHROPIC, COHERE, least_request(ANTHROPIC) | members)


def test_an_openai_conversation_becomes_coheres() -> None:
    """Roles stay, texts are strings where they are one, each result is a message of its own."""
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "assistant", "content": "Sunny."},
        {"role": "system", "content": "Answer in French."},
        {"role": "user", "content": "And?"},
    ]
    assert openai(messages=messages, tools=[WEATHER, TIME]) == {
        "model": "command-a-03-2025",
        "stream": False,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]},
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
            {"role": "assistant", "content": "Sunny."},
            {"role": "system", "content": "Answer in French."},
            {"role": "user", "content": "And?"},
        ],
        "tools": [WEATHER, {"type": "function", "function": {"name": "time", "parameters": {"type": "object"}}}],
    }


def test_an_anthropic_conversation_becomes_coheres() -> None:
    """Results come before the user's words; a failed tool's result says itself what went wrong."""
    turn = [
        {"type": "tool_result", "tool_use_id": "t1", "content": "no such city", "is_error": True},
        {"type": "text", "text": "Then Rome."},
    ]
    use = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Paris"}}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [{"type": "text", "text": "Looking."}, use]},
        {"role": "user", "content": turn},
    ]
    body = anthropic(messages=messages, system="Be brief.", tools=[ANTHROPIC_TOOL], stream=True)
    assert body["stream"] is True
    assert body["max_tokens"] == 100
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "Looking.", "tool_calls": [{**CALL, "id": "t1"}]},
        {"role": "tool", "tool_call_id": "t1", "content": "no such city"},
        {"role": "user", "content": "Then Rome."},
    ]


def test_thinking_goes_back_to_where_it_came_from() -> None:
    """Cohere's own as content and as plan; what another provider thought stays away."""
    content = [
        {"type": "thinking", "thinking": "Hm", "signature": "cohere:thinking"},
        {"type": "thinking", "thinking": "theirs", "signature": "c2ln"},
        {"type": "text", "text": "So."},
        {"type": "thinking", "thinking": "I will look.", "signature": "cohere:tool_plan"},
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Paris"}},
    ]
    body = anthropic(messages=[{"role": "user", "content": "?"}, {"role": "assistant", "content": content}])
    assert body["messages"][1] == {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "So."}],
        "tool_plan": "I will look.",
        "tool_calls": [CALL],
    }


@pytest.mark.parametrize("url", ["data:image/png;base64,iVBORw0KGgo=", "https://example.com/a.png"])
def test_images_go_by_data_or_by_url(url: str) -> None:
    """In the member that OpenAI has for them, too."""
    image = {"type": "image_url", "image_url": {"url": url}}
    assert openai(messages=[{"role": "user", "content": [image]}])["messages"][0]["content"] == [image]


@pytest.mark.parametrize(
    ("asked", "expected", "shown"),
    [
        (None, None, ["weather", "time"]),
        ("auto", None, ["weather", "time"]),
        ("none", "NONE", ["weather", "time"]),
        ("required", "REQUIRED", ["weather", "time"]),
        ({"type": "function", "function": {"name": "time"}}, "REQUIRED", ["time"]),
    ],
)
def test_tool_choice_is_translated(asked: Any, expected: str | None, shown: list[str]) -> None:
    """Cohere can be told that it must call a tool, not which: a named one is the only one it is shown."""
    body = openai(tools=[WEATHER, TIME], tool_choice=asked)
    assert body.get("tool_choice") == expected
    assert [tool["function"]["name"] for tool in body["tools"]] == shown


def test_one_strict_tool_makes_them_all_strict() -> None:
    """Cohere knows strictness of all tools or of none; without one it is not asked for."""
    strict = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA, "strict": True}}
    assert openai(tools=[TIME, strict])["strict_tools"] is True
    assert "strict_tools" not in openai(tools=[TIME, WEATHER])


def test_structured_output_is_translated() -> None:
    """The schema goes as the client wrote it."""
    asked = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
    assert openai(response_format=asked)["response_format"] == {"type": "json_object", "json_schema": SCHEMA}
    assert openai(response_format={"type": "json_object"})["response_format"] == {"type": "json_object"}


def test_sampling_and_limits_are_translated() -> None:
    """Under Cohere's names for them."""
    body = openai(
        temperature=0.5,
        top_p=0.9,
        top_k=4,
        seed=3,
        stop=["a"],
        max_completion_tokens=9,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        user="u",
    )
    assert {name: body[name] for name in body.keys() - {"model", "messages", "stream"}} == {
        "temperature": 0.5,
        "p": 0.9,
        "k": 4,
        "seed": 3,
        "stop_sequences": ["a"],
        "max_tokens": 9,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
    }


@pytest.mark.parametrize(
    ("client", "members", "expected"),
    [
        (OPENAI, {}, None),
        (OPENAI, {"reasoning_effort": "none"}, {"type": "disabled"}),
        (OPENAI, {"reasoning_effort": "low"}, {"type": "enabled", "token_budget": 1_024}),
        (OPENAI, {"reasoning_effort": "medium"}, {"type": "enabled", "token_budget": 8_192}),
        (OPENAI, {"reasoning_effort": "high"}, {"type": "enabled"}),
        (ANTHROPIC, {"thinking": {"type": "adaptive"}}, {"type": "enabled"}),
        (ANTHROPIC, {"thinking": {"type": "disabled"}}, {"type": "disabled"}),
        (
            ANTHROPIC,
            {"thinking": {"type": "enabled", "budget_tokens": 5_000}},
            {"type": "enabled", "token_budget": 5_000},
        ),
    ],
)
def test_effort_and_budgets_become_coheres_thinking(
    client: str, members: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    """A budget as it is, little effort as a budget, much effort as no limit."""
    assert sent(client, COHERE, least_request(client) | members).get("thinking") == expected


PDF = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}}
PICTURE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}


@pytest.mark.parametrize(
    ("client", "members", "param"),
    [
        (OPENAI, {"stop": list("abcdef")}, "stop"),
        (OPENAI, {"tools": [TIME], "parallel_tool_calls": False}, "parallel_tool_calls"),
        (OPENAI, {"tools": [TIME], "response_format": {"type": "json_object"}}, "response_format"),
        (OPENAI, {"tools": [TIME], "tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice"),
        (OPENAI, {"logprobs": True}, "logprobs"),
        (OPENAI, {"messages": [{"role": "user", "content": [PDF]}]}, "messages"),
        (
            ANTHROPIC,
            {
                "messages": [
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {}}]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [PICTURE]}]},
                ]
            },
            "messages",
        ),
    ],
)
def test_what_cohere_cannot_express_is_refused_by_name(client: str, members: dict[str, Any], param: str) -> None:
    """A 400 that names the member in the client's own words."""
    with pytest.raises(InvalidRequest) as refused:
        sent(client, COHERE, least_request(client) | members)
    assert refused.value.param == param
    assert f"`{param}`" in refused.value.message
