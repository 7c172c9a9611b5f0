"""A chat completions request as a neutral conversation.

Source: OpenAI's API reference, "Create chat completion", and what the field has added to it: `cache_control` on parts,
messages and tools (OpenRouter, LiteLLM), `thinking` and `thinking_blocks` (LiteLLM, Z.AI), `top_k`.
"""

from dataclasses import replace
from typing import Any, Final, Literal, cast

from headgate.wire.chat import (
    AssistantPart,
    CacheMarker,
    Chat,
    File,
    Image,
    JsonFormat,
    Message,
    Reasoning,
    RedactedThinking,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from headgate.wire.fields import Fields, Harmless

WORDS: Final = {
    "parallel_tools": "parallel_tool_calls",
    "reasoning": "reasoning_effort",
    "cache": "cache_control",
}

HARMLESS: Final = {
    "metadata": Harmless("labels for the provider's dashboard; Headgate keeps them with the usage record"),
    "store": Harmless("other providers keep nothing either", (False,)),
    "service_tier": Harmless("asks for nothing but the usual service", ("auto", "default", "on_demand")),
    "n": Harmless("one answer is what every provider gives", (1,)),
    "logprobs": Harmless("not asked for", (False,)),
    "top_logprobs": Harmless("not asked for", (0,)),
    "modalities": Harmless("text is what every provider gives", (["text"],)),
    "verbosity": Harmless("the usual length", ("medium",)),
    "reasoning_format": Harmless("reasoning is always delivered apart from the text", ("parsed",)),
    "prompt_cache_key": Harmless("helps OpenAI to find its own cache"),
    "prompt_cache_options": Harmless("how OpenAI places its own cache; the markers on parts are translated"),
    "prompt_cache_retention": Harmless("how long OpenAI keeps its own cache", ("in-memory", "in_memory")),
    "safety_identifier": Harmless("names the end user to OpenAI's abuse detection only"),
}
"""Members of the request that are left out, with the reason."""

ASSISTANT_HARMLESS: Final = {
    "annotations": Harmless("an answer's citations, echoed; the text they belong to is kept"),
    "reasoning_content": Harmless("no provider takes back thinking without its signature; see thinking_blocks"),
    "reasoning": Harmless("as reasoning_content"),
    "reasoning_details": Harmless("as reasoning_content"),
    "executed_tools": Harmless("tools that ran inside another provider; what came of them is in the text"),
    "provider_specific_fields": Harmless("an answer's extras, echoed by LiteLLM"),
    "extra_content": Harmless("extras of Google's OpenAI endpoint, echoed"),
    "thought_signature": Harmless("as extra_content"),
    "prefix": Harmless("not a prefix", (False,)),
    "parsed": Harmless("what OpenAI's SDK made of the text, echoed"),
}
FUNCTION_HARMLESS: Final = {"parsed_arguments": Harmless("what OpenAI's SDK made of the arguments, echoed")}
TOOL_CALL_HARMLESS: Final = {
    "index": Harmless("the place in a stream, echoed"),
    "extra_content": Harmless("extras of Google's OpenAI endpoint, echoed"),
}


def read_request(body: dict[str, Any]) -> Chat:
    """Raises `InvalidRequest` naming the member that is wrong or has no counterpart in other formats."""
    fields = Fields(body)
    fields.take("model")
    if fields.take("web_search_options") is not None:  # empty, it asks for a search all the same
        raise fields.cannot("web_search_options")
    messages = _messages(fields)
    leading = next((i for i, message in enumerate(messages) if message.role != "system"), len(messages))
    if leading == len(messages):
        raise fields.wrong("messages", "an array with at least one message that is not a system message")
    stream_options = fields.object("stream_options") or Fields({})
    limit_word = "max_tokens" if fields.take("max_completion_tokens") is None else "max_completion_tokens"
    limit = fields.integer("max_completion_tokens", 1)
    older_limit = fields.integer("max_tokens", 1)
    chat = Chat(
        messages=tuple(messages[leading:]),
        system=tuple(cast("Text", part) for message in messages[:leading] for part in message.parts),
        tools=tuple(_tool(tool) for tool in fields.objects("tools")),
        tool_choice=_tool_choice(fields),
        parallel_tools=fields.boolean("parallel_tool_calls") is not False,
        max_tokens=older_limit if limit is None else limit,
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        frequency_penalty=fields.number("frequency_penalty") or None,
        presence_penalty=fields.number("presence_penalty") or None,
        seed=fields.integer("seed", -(2**63)),
        stop=fields.strings("stop"),
        response_format=_response_format(fields),
        reasoning=_reasoning(fields),
        stream=fields.boolean("stream") is True,
        include_usage=stream_options.boolean("include_usage") is True,
        user=fields.string("user"),
        cache=_cache(fields),
        words={**WORDS, "max_tokens": limit_word},
    )
    stream_options.done({"include_obfuscation": Harmless("padding against traffic analysis, added by OpenAI only")})
    fields.done(HARMLESS)
    return chat


def _messages(fields: Fields) -> list[Message]:
    """The messages, those of tools that follow each other gathered in one, as the answers to one turn."""
    messages: list[Message] = []
    answering = False
    for message in fields.objects("messages"):
        role = message.text("role")
        if role == "tool" and answering:
            messages[-1] = Message("user", (*messages[-1].parts, _tool_result(message)))
        else:
            messages.append(_message(message, role))
        answering = role == "tool"
    return messages


def _message(fields: Fields, role: str) -> Message:
    match role:
        case "system" | "developer":
            return _plain(fields, "system")
        case "user":
            return _plain(fields, "user")
        case "assistant":
            return Message("assistant", tuple(_assistant(fields)))
        case "tool":
            return Message("user", (_tool_result(fields),))
    raise fields.wrong("role", "system, developer, user, assistant or tool")


def _plain(fields: Fields, role: Literal["user", "system"]) -> Message:
    parts = _content(fields)
    fields.done()
    if role == "system" and not all(isinstance(part, Text) for part in parts):
        raise fields.wrong("content", "text in a system message")
    return Message(role, parts)


def _tool_result(fields: Fields) -> ToolResult:
    call_id, cache = fields.text("tool_call_id"), _cache(fields)
    parts = _content(fields)
    fields.done({"name": Harmless("the id says which tool was called")})
    return ToolResult(call_id, parts, cache=cache)


def _assistant(fields: Fields) -> list[AssistantPart]:
    parts: list[AssistantPart] = [_thinking(block) for block in fields.objects("thinking_blocks")]
    for part in _content(fields):
        if not isinstance(part, Text):
            raise fields.wrong("content", "text in an assistant message")
        parts.append(part)
    if refusal := fields.string("refusal"):
        parts.append(Text(refusal))
    parts += [_tool_call(call) for call in fields.objects("tool_calls")]
    fields.done(ASSISTANT_HARMLESS)
    return parts


def _thinking(fields: Fields) -> Thinking | RedactedThinking:
    part: Thinking | RedactedThinking
    if fields.string("type") == "redacted_thinking":
        part = RedactedThinking(fields.text("data"))
    else:
        part = Thinking(fields.string("thinking") or "", fields.string("signature") or "")
    fields.done({"index": Harmless("the place in a stream, echoed")})
    return part


def _tool_call(fields: Fields) -> ToolCall:
    if fields.string("type") not in (None, "function"):
        raise fields.cannot("type")
    function = fields.object("function")
    if function is None:
        raise fields.wrong("function", "an object")
    call = ToolCall(fields.text("id"), function.text("name"), function.string("arguments") or "", _cache(fields))
    function.done(FUNCTION_HARMLESS)
    fields.done(TOOL_CALL_HARMLESS)
    return call


def _content(fields: Fields) -> tuple[Text | Image | File, ...]:
    content = fields.take("content")
    cache = _cache(fields)
    if isinstance(content, str):
        return (Text(content, cache),) if content else ()
    parts = [part for item in fields.objects("content") if (part := _part(item)) is not None]
    if cache is not None and parts and parts[-1].cache is None:
        parts[-1] = replace(parts[-1], cache=cache)
    return tuple(parts)


def _part(fields: Fields) -> Text | Image | File | None:
    part: Text | Image | File | None = None
    match fields.string("type"):
        case None | "text":
            part = Text(fields.text("text"), _cache(fields))
        case "refusal":
            part = Text(fields.text("refusal"))
        case "image_url":
            part = _image(fields)
        case "file":
            part = _file(fields)
        case "thinking":
            fields.take("thinking")  # Mistral's, unsigned: as reasoning_content
        case _:
            raise fields.cannot("type")
    fields.done()
    return part


def _image(fields: Fields) -> Image:
    cache, image = _cache(fields), fields.take("image_url")
    if isinstance(image, str):
        url = image
    else:
        inner = Fields(image, fields.param("image_url"))
        url = inner.text("url")
        inner.done({"detail": Harmless("the image is looked at in full, as it is elsewhere", ("auto", "high"))})
    media_type, data = _data_url(url)
    return Image(media_type, data, None if data is not None else url, cache)


def _file(fields: Fields) -> File:
    cache, inner = _cache(fields), fields.object("file")
    if inner is None:
        raise fields.wrong("file", "an object")
    if inner.take("file_id") is not None:
        raise inner.cannot("file_id", "a file kept at one provider is not known to another")
    name, url = inner.string("filename"), inner.text("file_data")
    inner.done()
    media_type, data = _data_url(url)
    return File(media_type, data, None if data is not None else url, name, cache)


def _data_url(url: str) -> tuple[str | None, str | None]:
    """Media type and base64 of a `data:` URL; nothing for others."""
    head, comma, data = url.partition(",")
    if not (comma and head.startswith("data:") and head.endswith(";base64")):
        return None, None
    return head[5:-7].partition(";")[0] or "application/octet-stream", data


def _cache(fields: Fields) -> CacheMarker | None:
    breakpoint_ = fields.take("prompt_cache_breakpoint")  # OpenAI's own word for a marker on a part
    marker = fields.object("cache_control")
    if marker is None:
        return None if breakpoint_ is None else CacheMarker()
    if marker.string("type") != "ephemeral":
        raise marker.wrong("type", "`ephemeral`")
    ttl = marker.string("ttl")
    marker.done()
    return CacheMarker(ttl)


def _tool(fields: Fields) -> Tool:
    if fields.string("type") not in (None, "function"):
        raise fields.cannot("type", "only function tools exist in every format")
    function = fields.object("function")
    if function is None:
        raise fields.wrong("function", "an object")
    tool = Tool(
        function.text("name"),
        function.string("description"),
        function.mapping("parameters"),
        function.boolean("strict") is True,
        _cache(fields) or _cache(function),
    )
    function.done()
    fields.done()
    return tool


def _tool_choice(fields: Fields) -> ToolChoice | None:
    match choice := fields.take("tool_choice"):
        case None:
            return None
        case "auto" | "none" | "required":
            return ToolChoice(cast("Literal['auto', 'none', 'required']", choice))
        case "any":  # Mistral's word
            return ToolChoice("required")
        case {"type": "function", "function": {"name": str(name)}}:
            return ToolChoice("named", name)
        case dict() if choice.get("type") != "function":
            raise fields.cannot("tool_choice")
    raise fields.wrong("tool_choice", "`auto`, `none`, `required` or a function with its name")


def _response_format(fields: Fields) -> JsonFormat | None:
    asked = fields.object("response_format")
    if asked is None:
        return None
    kind, inner = asked.string("type"), asked.object("json_schema")
    asked.done()
    if kind == "text":
        return None
    if kind == "json_object":
        return JsonFormat()
    if kind != "json_schema":
        raise asked.cannot("type")
    if inner is None or (schema := inner.mapping("schema")) is None:
        raise asked.wrong("json_schema", "an object with a `schema`")
    name, description = inner.string("name") or "response", inner.string("description")
    strict = inner.boolean("strict") is True
    inner.done()
    return JsonFormat(schema, name, description, strict)


def _reasoning(fields: Fields) -> Reasoning | None:
    effort, thinking = fields.string("reasoning_effort"), fields.object("thinking")
    if effort == "default":  # Groq's word for not choosing
        effort = None
    if thinking is None:
        return None if effort is None else Reasoning(effort)
    kind, budget = thinking.string("type"), thinking.integer("budget_tokens", 1)
    thinking.done()
    if kind not in ("enabled", "disabled", "adaptive"):
        raise thinking.wrong("type", "`enabled`, `adaptive` or `disabled`")
    return Reasoning("none") if kind == "disabled" else Reasoning(effort, budget)
