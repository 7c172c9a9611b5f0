"""What goes to the provider: every notion of the client's request in the provider's words, or a 400 that names it."""

import base64
from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from tests.support.translating import ANTHROPIC, COHERE, GEMINI, OPENAI, least_request, sent, translation

PNG = "iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
OPENAI_TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells it", "parameters": SCHEMA}}
ANTHROPIC_TOOL = {"name": "weather", "description": "Tells it", "input_schema": SCHEMA}
GEMINI_TOOL = {"name": "weather", "description": "Tells it", "parametersJsonSchema": SCHEMA}

CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
    {
        "role": "assistant",
        "content": "Looking.",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}},
            {"id": "call_2", "type": "function", "function": {"name": "weather", "arguments": ""}},
        ],
    },
    {"role": "tool", "tool_call_id": "call_2", "content": "which city?"},
    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    {"role": "developer", "content": "Answer in French."},
    {"role": "user", "content": "And?"},
]

ANTHROPIC_CONVERSATION = [
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "Looking."},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no such city", "is_error": True},
            {"type": "text", "text": "Then Rome."},
        ],
    },
    {"role": "system", "content": "Answer in French."},
]


def openai(**members: Any) -> dict[str, Any]:
    return least_request(OPENAI) | members


def anthropic(**members: Any) -> dict[str, Any]:
    return least_request(ANTHROPIC) | members


def test_an_openai_conversation_becomes_anthropics() -> None:
    """System text leads apart, arguments become objects, results of a turn share a message, late instructions stay."""
    body = sent(OPENAI, ANTHROPIC, openai(messages=CONVERSATION, tools=[OPENAI_TOOL]))
    assert body["system"] == [{"type": "text", "text": "Be brief."}]
    assert body["max_tokens"] == 16_384
    assert body["tools"] == [ANTHROPIC_TOOL]
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Paris"}},
                {"type": "tool_use", "id": "call_2", "name": "weather", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_2", "content": [{"type": "text", "text": "which city?"}]},
                {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "sunny"}]},
            ],
        },
        {"role": "user", "content": [{"type": "text", "text": "<system>\nAnswer in French.\n</system>"}]},
        {"role": "user", "content": [{"type": "text", "text": "And?"}]},
    ]


def test_an_openai_conversation_becomes_geminis() -> None:
    """Results carry the name of their call and come in the order of the calls; unsigned calls say that they are."""
    body = sent(OPENAI, GEMINI, openai(messages=CONVERSATION, tools=[OPENAI_TOOL]))
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert body["tools"] == [{"functionDeclarations": [GEMINI_TOOL]}]
    _, model, results, instruction, user = body["contents"]
    assert model["role"] == "model"
    assert model["parts"] == [
        {"text": "Looking."},
        {
            "functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Paris"}},
            "thoughtSignature": base64.b64encode(b"skip_thought_signature_validator").decode(),
        },
        {"functionCall": {"id": "call_2", "name": "weather", "args": {}}},
    ]
    assert results == {
        "role": "user",
        "parts": [
            {"functionResponse": {"id": "call_1", "name": "weather", "response": {"output": "sunny"}}},
            {"functionResponse": {"id": "call_2", "name": "weather", "response": {"output": "which city?"}}},
        ],
    }
    assert instruction["parts"] == [{"text": "<system>\nAnswer in French.\n</system>"}]
    assert user == {"role": "user", "parts": [{"text": "And?"}]}


def test_an_anthropic_conversation_becomes_openais() -> None:
    """Each result is a message of its own in front of the user's words; arguments become JSON text."""
    request = anthropic(messages=ANTHROPIC_CONVERSATION, system="Be brief.", tools=[ANTHROPIC_TOOL])
    body = sent(ANTHROPIC, OPENAI, request)
    assert body["max_tokens"] == 100
    assert body["tools"] == [OPENAI_TOOL]
    function = {"name": "weather", "arguments": '{"city":"Paris"}'}
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": "Looking.",
            "tool_calls": [{"id": "toolu_1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "toolu_1", "content": "no such city"},
        {"role": "user", "content": "Then Rome."},
        {"role": "system", "content": "Answer in French."},
    ]


def test_an_anthropic_conversation_becomes_geminis() -> None:
    """A tool's failure is told as `error`."""
    body = sent(ANTHROPIC, GEMINI, anthropic(messages=ANTHROPIC_CONVERSATION, tools=[ANTHROPIC_TOOL]))
    assert body["contents"][2]["parts"] == [
        {"functionResponse": {"id": "toolu_1", "name": "weather", "response": {"error": "no such city"}}},
        {"text": "Then Rome."},
    ]


def test_ids_that_anthropic_refuses_are_written_alike_in_call_and_result() -> None:
    """Some models make ids with dots and colons."""
    call = {"id": "functions.weather:0", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "functions.weather:0", "content": "sunny"},
    ]
    body = sent(OPENAI, ANTHROPIC, openai(messages=messages))
    assert body["messages"][1]["content"][0]["id"] == "functions_weather_0"
    assert body["messages"][2]["content"][0]["tool_use_id"] == "functions_weather_0"


def test_arguments_that_are_no_json_are_kept_whole() -> None:
    """Models break their JSON at times; the conversation goes on, with what Anthropic's documentation says to send."""
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Par'}}
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [call]}]
    body = sent(OPENAI, ANTHROPIC, openai(messages=messages))
    assert body["messages"][1]["content"][0]["input"] == {"INVALID_JSON": '{"city": "Par'}


def test_a_result_without_its_call_is_refused_where_the_name_is_needed() -> None:
    """Gemini answers functions by name, which only the call tells."""
    messages = [{"role": "user", "content": "?"}, {"role": "tool", "tool_call_id": "gone", "content": "x"}]
    with pytest.raises(InvalidRequest) as refused:
        sent(OPENAI, GEMINI, openai(messages=messages))
    assert refused.value.param == "messages"
    assert "`gone`" in refused.value.message


DATA_URL = f"data:image/png;base64,{PNG}"
WEB_URL = "https://example.com/cat.jpg?x=1"


@pytest.mark.parametrize(
    ("client", "image", "provider", "expected"),
    [
        (
            OPENAI,
            {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "auto"}},
            ANTHROPIC,
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ),
        (
            OPENAI,
            {"type": "image_url", "image_url": {"url": WEB_URL}},
            ANTHROPIC,
            {"type": "image", "source": {"type": "url", "url": WEB_URL}},
        ),
        (
            OPENAI,
            {"type": "image_url", "image_url": DATA_URL},
            GEMINI,
            {"inlineData": {"mimeType": "image/png", "data": PNG}},
        ),
        (
            OPENAI,
            {"type": "image_url", "image_url": {"url": WEB_URL}},
            GEMINI,
            {"fileData": {"fileUri": WEB_URL, "mimeType": "image/jpeg"}},
        ),
        (
            ANTHROPIC,
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            OPENAI,
            {"type": "image_url", "image_url": {"url": DATA_URL}},
        ),
        (
            ANTHROPIC,
            {"type": "image", "source": {"type": "url", "url": WEB_URL}},
            OPENAI,
            {"type": "image_url", "image_url": {"url": WEB_URL}},
        ),
    ],
)
def test_images_keep_their_data_or_their_url(
    client: str, image: dict[str, Any], provider: str, expected: dict[str, Any]
) -> None:
    """Base64 stays base64, with its media type; a URL stays a URL."""
    request = least_request(client) | {"messages": [{"role": "user", "content": [image]}]}
    body = sent(client, provider, request)
    part = body["contents"][0]["parts"][0] if provider == GEMINI else body["messages"][0]["content"][0]
    assert part == expected


def test_documents_are_translated() -> None:
    """PDFs as data, with their names; text documents as the text they are."""
    pdf = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}}
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    body = sent(OPENAI, ANTHROPIC, openai(messages=[{"role": "user", "content": [pdf]}]))
    assert body["messages"][0]["content"] == [{"type": "document", "source": source, "title": "a.pdf"}]
    documents = [
        {"type": "document", "source": source, "title": "a.pdf"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Once upon"}},
    ]
    body = sent(ANTHROPIC, OPENAI, anthropic(messages=[{"role": "user", "content": documents}]))
    assert body["messages"][0]["content"] == [pdf, {"type": "text", "text": "Once upon"}]


@pytest.mark.parametrize(
    ("asked", "parallel", "anthropics", "geminis"),
    [
        (None, None, None, None),
        ("auto", None, {"type": "auto"}, {"mode": "AUTO"}),
        ("none", None, {"type": "none"}, {"mode": "NONE"}),
        ("required", True, {"type": "any"}, {"mode": "ANY"}),
        (
            {"type": "function", "function": {"name": "weather"}},
            None,
            {"type": "tool", "name": "weather"},
            {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        ),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}, "refused"),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}, "refused"),
    ],
)
def test_tool_choice_is_translated(asked: Any, parallel: bool | None, anthropics: Any, geminis: Any) -> None:
    """Every way to choose, both ways between OpenAI and Anthropic; Gemini cannot promise one call at a time."""
    request = openai(tools=[OPENAI_TOOL], tool_choice=asked, parallel_tool_calls=parallel)
    assert sent(OPENAI, ANTHROPIC, request).get("tool_choice") == anthropics
    back = sent(ANTHROPIC, OPENAI, anthropic(tools=[ANTHROPIC_TOOL], tool_choice=anthropics))
    assert back.get("parallel_tool_calls") is (False if parallel is False else None)
    assert back.get("tool_choice") in (asked, "auto" if anthropics and asked is None else asked)
    if geminis == "refused":
        with pytest.raises(InvalidRequest) as refused:
            sent(OPENAI, GEMINI, request)
        assert refused.value.param == "parallel_tool_calls"
    else:
        assert sent(OPENAI, GEMINI, request).get("toolConfig", {}).get("functionCallingConfig") == geminis


def test_strict_tools_stay_strict() -> None:
    """Arguments that must keep to the schema do so at every provider."""
    strict = {"type": "function", "function": {**OPENAI_TOOL["function"], "strict": True}}  # type: ignore[dict-item]
    request = openai(tools=[strict])
    assert sent(OPENAI, ANTHROPIC, request)["tools"][0]["strict"] is True
    assert sent(OPENAI, GEMINI, request)["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert sent(ANTHROPIC, OPENAI, anthropic(tools=[{**ANTHROPIC_TOOL, "strict": True}]))["tools"] == [strict]


def test_structured_output_is_translated() -> None:
    """The schema goes as the client wrote it."""
    asked = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
    anthropics = {"type": "json_schema", "schema": SCHEMA}
    assert sent(OPENAI, ANTHROPIC, openai(response_format=asked))["output_config"] == {"format": anthropics}
    generation = sent(OPENAI, GEMINI, openai(response_format=asked))["generationConfig"]
    assert generation == {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    loose = sent(OPENAI, GEMINI, openai(response_format={"type": "json_object"}))["generationConfig"]
    assert loose == {"responseMimeType": "application/json"}
    for request in (anthropic(output_config={"format": anthropics}), anthropic(output_format=anthropics)):
        written = sent(ANTHROPIC, OPENAI, request)["response_format"]
        assert written == {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA, "strict": True}}


def test_sampling_and_limits_are_translated() -> None:
    """Under each provider's name for them; the stricter name of OpenAI's limit wins over the older one."""
    request = openai(temperature=0.5, top_p=0.9, stop=["a", "b"], max_tokens=5, max_completion_tokens=9, user="u")
    body = sent(OPENAI, ANTHROPIC, request)
    assert (body["temperature"], body["top_p"], body["stop_sequences"]) == (0.5, 0.9, ["a", "b"])
    assert (body["max_tokens"], body["metadata"]) == (9, {"user_id": "u"})
    body = sent(OPENAI, GEMINI, request | {"seed": 3, "frequency_penalty": 0.1, "presence_penalty": 0.2})
    assert body["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 0.5,
        "topP": 0.9,
        "stopSequences": ["a", "b"],
        "seed": 3,
        "frequencyPenalty": 0.1,
        "presencePenalty": 0.2,
    }
    request = anthropic(top_k=4, stop_sequences=["z"], metadata={"user_id": "u"})
    assert sent(ANTHROPIC, GEMINI, request)["generationConfig"]["topK"] == 4
    del request["top_k"]
    body = sent(ANTHROPIC, OPENAI, request, limit_member="max_completion_tokens")
    assert (body["max_completion_tokens"], body["stop"], body["user"]) == (100, ["z"], "u")


def test_the_output_limit_that_anthropic_requires_is_the_callers_default() -> None:
    """The model's maximum may be lower than the usual 16,384; only the caller knows it."""
    assert sent(OPENAI, ANTHROPIC, openai(), default_max_tokens=4_096)["max_tokens"] == 4_096


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("claude-opus-4-6", "high", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ("claude-sonnet-4-6", "minimal", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        (
            "claude-opus-4-8",
            "xhigh",
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "xhigh"}},
        ),
        ("claude-sonnet-4-5-20250929", "medium", {"thinking": {"type": "enabled", "budget_tokens": 8_192}}),
        ("claude-3-7-sonnet-latest", "low", {"thinking": {"type": "enabled", "budget_tokens": 1_024}}),
        ("claude-sonnet-4-20250514", "high", {"thinking": {"type": "enabled", "budget_tokens": 8_192}}),
        ("claude-opus-4-6", "none", {"thinking": {"type": "disabled"}}),
        ("claude-opus-4-6", None, {}),
    ],
)
def test_effort_becomes_anthropics_thinking(model: str, effort: str | None, expected: dict[str, Any]) -> None:
    """Newer models think adaptively, older ones within a budget that leaves half of the limit to the answer."""
    body = sent(OPENAI, ANTHROPIC, openai(reasoning_effort=effort), model=model)
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == expected


@pytest.mark.parametrize(
    ("model", "asked", "expected"),
    [
        ("gemini-2.5-flash", {"reasoning_effort": "low"}, {"includeThoughts": True, "thinkingBudget": 1_024}),
        ("gemini-2.5-pro", {"reasoning_effort": "xhigh"}, {"includeThoughts": True, "thinkingBudget": 24_576}),
        ("gemini-2.5-flash", {"reasoning_effort": "none"}, {"thinkingBudget": 0}),
        (
            "gemini-3-flash-preview",
            {"reasoning_effort": "minimal"},
            {"includeThoughts": True, "thinkingLevel": "minimal"},
        ),
        ("gemini-3-pro-preview", {"reasoning_effort": "minimal"}, {"includeThoughts": True, "thinkingLevel": "low"}),
        ("gemini-3-pro-preview", {"reasoning_effort": "max"}, {"includeThoughts": True, "thinkingLevel": "high"}),
        (
            "gemini-2.5-pro",
            {"thinking": {"type": "enabled", "budget_tokens": 5_000}},
            {"includeThoughts": True, "thinkingBudget": 5_000},
        ),
    ],
)
def test_effort_becomes_geminis_thinking(model: str, asked: dict[str, Any], expected: dict[str, Any]) -> None:
    """Levels from Gemini 3 on, budgets before."""
    assert sent(OPENAI, GEMINI, openai(**asked), model=model)["generationConfig"]["thinkingConfig"] == expected


@pytest.mark.parametrize(
    ("members", "effort"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 1_024}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 8_000}}, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 60_000}}, "xhigh"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, "high"),
        ({"output_config": {"effort": "max"}}, "xhigh"),
        ({"thinking": {"type": "adaptive"}}, None),
        ({"thinking": {"type": "disabled"}}, "none"),
        ({}, None),
    ],
)
def test_anthropics_thinking_becomes_effort(members: dict[str, Any], effort: str | None) -> None:
    """A budget is the least effort that covers it; without effort or budget the model decides."""
    assert sent(ANTHROPIC, OPENAI, anthropic(**members)).get("reasoning_effort") == effort


def test_cache_markers_are_kept_for_anthropic() -> None:
    """On parts, messages, tools, results and the request, where OpenAI's clients put them as the field does."""
    marker, hour = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "Long.", "cache_control": hour}]},
        {"role": "user", "content": "Hello", "cache_control": marker},
        {"role": "user", "content": [{"type": "text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}]},
    ]
    tool = {**OPENAI_TOOL, "cache_control": marker}
    body = sent(OPENAI, ANTHROPIC, openai(messages=messages, tools=[tool], cache_control=marker))
    assert body["system"] == [{"type": "text", "text": "Long.", "cache_control": hour}]
    assert [message["content"][0]["cache_control"] for message in body["messages"]] == [marker, marker]
    assert body["tools"] == [{**ANTHROPIC_TOOL, "cache_control": marker}]
    assert body["cache_control"] == marker


def test_cache_markers_are_left_out_where_providers_cache_by_themselves() -> None:
    """A marker changes the price of the next call, never the answer."""
    marked = [{"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": "5m"}}]
    body = sent(ANTHROPIC, OPENAI, anthropic(system=marked, cache_control={"type": "ephemeral"}))
    assert "cache" not in str(body)


def test_a_stream_asks_an_openai_provider_for_usage() -> None:
    """Always, unless the provider is known to refuse the member."""
    request = least_request(ANTHROPIC, stream=True)
    body = sent(ANTHROPIC, OPENAI, request)
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    assert "stream_options" not in sent(ANTHROPIC, OPENAI, request, ask_usage=False)


def test_headers_are_the_providers() -> None:
    """Anthropic's version is a header."""
    assert translation(OPENAI, ANTHROPIC).request().headers == ((b"anthropic-version", b"2023-06-01"),)


HARMLESS_MEMBERS: list[tuple[str, dict[str, Any]]] = [
    (OPENAI, {"metadata": {"a": "b"}, "store": False, "service_tier": "auto", "n": 1, "logprobs": False}),
    (OPENAI, {"logit_bias": {}, "frequency_penalty": 0, "functions": None, "unknown": None, "stop": None}),
    (OPENAI, {"prompt_cache_key": "k", "parallel_tool_calls": True, "seed": None, "modalities": ["text"]}),
    (ANTHROPIC, {"service_tier": "auto", "mcp_servers": [], "container": None, "unknown": None}),
]


@pytest.mark.parametrize(("client", "members"), HARMLESS_MEMBERS)
def test_members_that_ask_for_nothing_are_left_out(client: str, members: dict[str, Any]) -> None:
    """Defaults, nulls and labels change nothing about the answer."""
    for provider in {OPENAI, ANTHROPIC, GEMINI, COHERE} - {client}:
        assert sent(client, provider, least_request(client) | members) == sent(client, provider, least_request(client))


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    (OPENAI, ANTHROPIC, {"logprobs": True}, "logprobs"),
    (OPENAI, ANTHROPIC, {"logit_bias": {"1": 2}}, "logit_bias"),
    (OPENAI, ANTHROPIC, {"seed": 1}, "seed"),
    (OPENAI, ANTHROPIC, {"n": 2}, "n"),
    (OPENAI, GEMINI, {"n": 2}, "n"),
    (OPENAI, ANTHROPIC, {"store": True}, "store"),
    (OPENAI, ANTHROPIC, {"audio": {"voice": "x"}}, "audio"),
    (OPENAI, ANTHROPIC, {"modalities": ["text", "audio"]}, "modalities"),
    (OPENAI, ANTHROPIC, {"brand_new": 1}, "brand_new"),
    (OPENAI, GEMINI, {"web_search_options": {}}, "web_search_options"),
    (OPENAI, ANTHROPIC, {"temperature": 1.5}, "temperature"),
    (OPENAI, ANTHROPIC, {"frequency_penalty": 0.1}, "frequency_penalty"),
    (OPENAI, ANTHROPIC, {"response_format": {"type": "json_object"}}, "response_format"),
    (OPENAI, ANTHROPIC, {"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
    (OPENAI, ANTHROPIC, {"tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}, "tool_choice"),
    (OPENAI, ANTHROPIC, {"stream_options": {"new": 1}}, "stream_options.new"),
    (OPENAI, GEMINI, {"stop": list("abcdef")}, "stop"),
    (ANTHROPIC, OPENAI, {"top_k": 3}, "top_k"),
    (ANTHROPIC, OPENAI, {"stop_sequences": list("abcde")}, "stop_sequences"),
    (ANTHROPIC, OPENAI, {"mcp_servers": [{"url": "x"}]}, "mcp_servers"),
    (ANTHROPIC, OPENAI, {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
    (ANTHROPIC, OPENAI, {"metadata": {"user_id": "u", "x": 1}}, "metadata.x"),
    (ANTHROPIC, GEMINI, {"tools": [ANTHROPIC_TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
     "tool_choice.disable_parallel_tool_use"),
    (OPENAI, ANTHROPIC, {"messages": [{"role": "user", "content": "x", "name": "Ann"}]}, "messages[0].name"),
    (
        OPENAI,
        GEMINI,
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
        "messages[0].content[0].type",
    ),
    (
        ANTHROPIC,
        OPENAI,
        {"messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]},
        "messages[0].content[0].type",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("client", "provider", "members", "param"), REFUSED)
def test_what_the_provider_cannot_express_is_refused_by_name(
    client: str, provider: str, members: dict[str, Any], param: str
) -> None:
    """A 400 that names the member in the client's own words, and nothing is sent."""
    with pytest.raises(InvalidRequest) as refused:
        sent(client, provider, least_request(client) | members)
    assert refused.value.status == 400
    assert refused.value.param == param
    assert f"`{param}`" in refused.value.message


@pytest.mark.parametrize("thread", [{"type": "create"}, {"type": "continue", "previous_message_id": "msg_1"}])
def test_threads_are_refused_as_anthropics_sdk_understands_it(thread: dict[str, str]) -> None:
    """Its tool runner starts one by itself, and goes on without where it reads this."""
    with pytest.raises(InvalidRequest) as refused:
        sent(ANTHROPIC, GEMINI, least_request(ANTHROPIC) | {"thread": thread})
    assert refused.value.param == "thread"
    assert refused.value.details == {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}


def test_what_openais_sdk_parsed_goes_back_without_it() -> None:
    """Its `parse` returns a message that is its own, with what it made of it, to be appended to the conversation."""

    def asked(message: dict[str, Any], function: dict[str, Any]) -> dict[str, Any]:
        call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}", **function}}
        answer = {"role": "assistant", "content": "{}", "tool_calls": [call], **message}
        return openai(messages=[{"role": "user", "content": "?"}, answer])

    echoed = asked({"parsed": {"city": "Oslo"}}, {"parsed_arguments": {"city": "Oslo"}})
    for provider in (ANTHROPIC, GEMINI, COHERE):
        assert sent(OPENAI, provider, echoed) == sent(OPENAI, provider, asked({}, {}))


MALFORMED: list[tuple[str, dict[str, Any], str]] = [
    (OPENAI, {"messages": None}, "messages"),
    (OPENAI, {"messages": "hello"}, "messages"),
    (OPENAI, {"messages": [7]}, "messages[0]"),
    (OPENAI, {"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
    (OPENAI, {"messages": [{"role": "system", "content": "x"}]}, "messages"),
    (OPENAI, {"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
    (OPENAI, {"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
    (OPENAI, {"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
    (OPENAI, {"tools": {}}, "tools"),
    (OPENAI, {"tools": [{"type": "function"}]}, "tools[0].function"),
    (OPENAI, {"tool_choice": "perhaps"}, "tool_choice"),
    (OPENAI, {"temperature": "hot"}, "temperature"),
    (OPENAI, {"max_tokens": 0}, "max_tokens"),
    (OPENAI, {"stop": [1]}, "stop"),
    (OPENAI, {"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    (ANTHROPIC, {"max_tokens": None}, "max_tokens"),
    (ANTHROPIC, {"messages": []}, "messages"),
    (ANTHROPIC, {"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages[0].content[0].source"),
    (ANTHROPIC, {"thinking": {"type": "much"}}, "thinking.type"),
    (ANTHROPIC, {"tool_choice": {"type": "tool"}}, "tool_choice.type"),
    (ANTHROPIC, {"system": [{"type": "text", "text": 1}]}, "system[0].text"),
]


@pytest.mark.parametrize(("client", "members", "param"), MALFORMED)
def test_what_is_malformed_is_refused_by_name(client: str, members: dict[str, Any], param: str) -> None:
    """A wrong type is told where it stands, before anything is sent."""
    with pytest.raises(InvalidRequest) as refused:
        translation(client, GEMINI, least_request(client) | members)
    assert refused.value.param == param


def test_thinking_goes_back_to_where_it_came_from_and_nowhere_else() -> None:
    """Signatures are worth something only to the provider that made them; others would refuse them."""
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "thinking", "thinking": "Ah.", "signature": "gemini:Z2Vt"},
        {"type": "thinking", "thinking": "So.", "signature": "openai_chat:reasoning_content"},
        {"type": "redacted_thinking", "data": "xxx"},
    ]
    said = {"role": "assistant", "content": "Yes.", "thinking_blocks": blocks, "reasoning_content": "Hm.Ah.So."}
    turns = [{"role": "user", "content": "?"}, said]
    written = sent(OPENAI, ANTHROPIC, openai(messages=turns))["messages"][1]["content"]
    assert written == [blocks[0], blocks[3], {"type": "text", "text": "Yes."}]
    parts = sent(OPENAI, GEMINI, openai(messages=turns))["contents"][1]["parts"]
    assert parts == [{"text": "Ah.", "thought": True}, {"text": "Yes.", "thoughtSignature": "Z2Vt"}]
    turns = [turns[0], {"role": "assistant", "content": [*blocks, {"type": "text", "text": "Yes."}]}]
    message = sent(ANTHROPIC, OPENAI, anthropic(messages=turns))["messages"][1]
    assert message == {"role": "assistant", "content": "Yes.", "reasoning_content": "So."}
