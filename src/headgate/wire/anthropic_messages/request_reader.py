"""An Anthropic messages request as a neutral conversation. Source: Anthropic's API reference, "Create a Message"."""

import base64
from collections.abc import Iterator
from typing import Any, Final, Literal, cast

import msgspec

from headgate.wire.chat import (
    CacheMarker,
    Chat,
    File,
    Image,
    JsonFormat,
    Message,
    Part,
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
    "stop": "stop_sequences",
    "parallel_tools": "tool_choice.disable_parallel_tool_use",
    "response_format": "output_config.format",
    "reasoning": "thinking",
    "user": "metadata.user_id",
    "cache": "cache_control",
}

HARMLESS: Final = {
    "service_tier": Harmless("asks for nothing but the usual service", ("auto", "standard_only")),
    "inference_geo": Harmless("anywhere", ("global",)),
    "speed": Harmless("the usual speed", ("standard",)),
}
"""Members of the request that are left out, with the reason."""

NO_THREAD: Final = {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}
"""What makes Anthropic's SDK send the whole conversation, where its caller leaves that to it."""

TEXT_HARMLESS: Final = {"citations": Harmless("an answer's citations, echoed; the text they belong to is kept")}
DOCUMENT_HARMLESS: Final = {"citations": Harmless("not asked for", ({"enabled": False},))}
TOOL_USE_HARMLESS: Final = {"caller": Harmless("who called, echoed", ({"type": "direct"},))}
TOOL_HARMLESS: Final = {
    "defer_loading": Harmless("not deferred", (False,)),
    "eager_input_streaming": Harmless("arguments are streamed as the provider sends them"),
    "allowed_callers": Harmless("the model itself", (["direct"],)),
}


def read_request(body: dict[str, Any]) -> Chat:
    """Raises `InvalidRequest` naming the member that is wrong or has no counterpart in other formats."""
    fields = Fields(body)
    fields.take("model")
    if fields.take("thread") is not None:
        raise fields.cannot("thread", "it is kept at Anthropic only", NO_THREAD)
    messages = tuple(_message(message) for message in fields.objects("messages"))
    if not messages:
        raise fields.wrong("messages", "an array with at least one message")
    choice, parallel = _tool_choice(fields)
    metadata = fields.object("metadata") or Fields({})
    response_format, effort = _output(fields)
    chat = Chat(
        messages=messages,
        system=_system(fields),
        tools=tuple(_tool(tool) for tool in fields.objects("tools")),
        tool_choice=choice,
        parallel_tools=parallel,
        max_tokens=fields.integer("max_tokens", 1),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        stop=fields.strings("stop_sequences"),
        response_format=response_format,
        reasoning=_reasoning(fields, effort),
        stream=fields.boolean("stream") is True,
        include_usage=True,
        user=metadata.string("user_id"),
        cache=_cache(fields),
        words=WORDS,
    )
    if chat.max_tokens is None:
        raise fields.wrong("max_tokens", "an integer of at least 1")
    metadata.done()
    fields.done(HARMLESS)
    return chat


def _system(fields: Fields) -> tuple[Text, ...]:
    return tuple(cast("Text", part) for part in _blocks(fields, "system", text_only=True))


def _message(fields: Fields) -> Message:
    role = fields.text("role")
    if role not in ("user", "assistant", "system"):
        raise fields.wrong("role", "user, assistant or system")
    parts = tuple(_blocks(fields, "content", text_only=role == "system"))
    fields.done()
    return Message(cast("Literal['user', 'assistant', 'system']", role), parts)


def _blocks(fields: Fields, name: str, *, text_only: bool = False) -> Iterator[Part]:
    content = fields.take(name)
    if isinstance(content, str):
        yield from (Text(content),) if content else ()
        return
    for block in fields.objects(name):
        if text_only and block.string("type") not in (None, "text"):
            raise block.cannot("type", "system instructions are text")
        yield _block(block)


def _block(fields: Fields) -> Part:
    """A content block. What only Anthropic has (server tools, uploads, search results) is refused by its type."""
    part: Part
    match fields.string("type"):
        case None | "text":
            part = Text(fields.text("text"), _cache(fields))
            fields.done(TEXT_HARMLESS)
        case "image":
            part = _image(fields)
            fields.done()
        case "document":
            part = _document(fields)
            fields.done(DOCUMENT_HARMLESS)
        case "tool_use":
            arguments = msgspec.json.encode(fields.mapping("input") or {}).decode()
            part = ToolCall(fields.text("id"), fields.text("name"), arguments, _cache(fields))
            fields.done(TOOL_USE_HARMLESS)
        case "tool_result":
            part = _tool_result(fields)
        case "thinking":
            part = Thinking(fields.string("thinking") or "", fields.string("signature") or "")
            fields.done()
        case "redacted_thinking":
            part = RedactedThinking(fields.text("data"))
            fields.done()
        case _:
            raise fields.cannot("type")
    return part


def _tool_result(fields: Fields) -> ToolResult:
    parts = []
    for part in _blocks(fields, "content"):
        if not isinstance(part, Text | Image | File):
            raise fields.wrong("content", "text, images and documents")
        parts.append(part)
    result = ToolResult(fields.text("tool_use_id"), tuple(parts), fields.boolean("is_error") is True, _cache(fields))
    fields.done()
    return result


def _source(fields: Fields) -> Fields:
    source = fields.object("source")
    if source is None:
        raise fields.wrong("source", "an object")
    return source


def _image(fields: Fields) -> Image:
    source, cache = _source(fields), _cache(fields)
    match source.string("type"):
        case "base64":
            image = Image(source.text("media_type"), source.text("data"), cache=cache)
        case "url":
            image = Image(url=source.text("url"), cache=cache)
        case _:
            raise source.cannot("type")
    source.done()
    return image


def _document(fields: Fields) -> File:
    source, cache, title = _source(fields), _cache(fields), fields.string("title")
    match source.string("type"):
        case "base64":
            file = File(source.text("media_type"), source.text("data"), name=title, cache=cache)
        case "text":
            source.take("media_type")
            data = base64.b64encode(source.text("data").encode()).decode()
            file = File("text/plain", data, name=title, cache=cache)
        case "url":
            file = File(url=source.text("url"), name=title, cache=cache)
        case _:
            raise source.cannot("type")
    source.done()
    return file


def _cache(fields: Fields) -> CacheMarker | None:
    marker = fields.object("cache_control")
    if marker is None:
        return None
    if marker.string("type") != "ephemeral":
        raise marker.wrong("type", "`ephemeral`")
    ttl = marker.string("ttl")
    marker.done()
    return CacheMarker(ttl)


def _tool(fields: Fields) -> Tool:
    if fields.string("type") not in (None, "custom"):
        raise fields.cannot("type", "it runs at Anthropic only")
    tool = Tool(
        fields.text("name"),
        fields.string("description"),
        fields.mapping("input_schema"),
        fields.boolean("strict") is True,
        _cache(fields),
    )
    fields.done(TOOL_HARMLESS)
    return tool


def _tool_choice(fields: Fields) -> tuple[ToolChoice | None, bool]:
    choice = fields.object("tool_choice")
    if choice is None:
        return None, True
    kind, name = choice.text("type"), choice.string("name")
    parallel = choice.boolean("disable_parallel_tool_use") is not True
    choice.done()
    match kind:
        case "auto" | "none":
            return ToolChoice(kind), parallel
        case "any":
            return ToolChoice("required"), parallel
        case "tool" if name:
            return ToolChoice("named", name), parallel
    raise choice.wrong("type", "`auto`, `any`, `none` or `tool` with a `name`")


def _output(fields: Fields) -> tuple[JsonFormat | None, str | None]:
    """Structured output, under its present name or that of its beta, and the effort."""
    config = fields.object("output_config") or Fields({}, "output_config")
    asked, effort = config.object("format") or fields.object("output_format"), config.string("effort")
    config.done()
    if asked is None:
        return None, effort
    if asked.text("type") != "json_schema":
        raise asked.cannot("type")
    schema = asked.mapping("schema")
    if schema is None:
        raise asked.wrong("schema", "an object")
    asked.done()
    return JsonFormat(schema), effort


def _reasoning(fields: Fields, effort: str | None) -> Reasoning | None:
    thinking = fields.object("thinking")
    if thinking is None:
        return None if effort is None else Reasoning(effort)
    kind, budget = thinking.string("type"), thinking.integer("budget_tokens", 1)
    shown = thinking.string("display") != "omitted"
    thinking.done()
    if kind not in ("enabled", "adaptive", "disabled"):
        raise thinking.wrong("type", "`enabled`, `adaptive` or `disabled`")
    return Reasoning("none") if kind == "disabled" else Reasoning(effort, budget, shown)
