"""A neutral conversation as a chat completions request, in the words that every OpenAI-compatible provider knows.

Left out on purpose: cache markers (these providers cache by themselves, and OpenAI refuses members of parts that it
does not know), other providers' thinking, and `is_error` of tool results (the result says what went wrong).
"""

import base64
import binascii
from typing import Any, Final

from headgate.wire.chat import (
    Chat,
    File,
    JsonFormat,
    Message,
    Part,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    effort_of,
)
from headgate.wire.openai_shape import write_messages, write_texts, write_tool_call

TARGET: Final = "OpenAI chat completions"
MAX_STOPS: Final = 4
LONGEST_USER: Final = 64
"""OpenAI refuses longer names of the end user, and Anthropic's clients send them; it is a label, and left out then."""
SIGNATURE: Final = "openai_chat:"
"""Thinking with this signature came in the member of the assistant's message that follows, and goes back in it."""
REASONING_MEMBERS: Final = ("reasoning_content", "reasoning")


def write_request(
    chat: Chat, model: str, *, limit_member: str = "max_tokens", ask_usage: bool = True
) -> dict[str, Any]:
    """`limit_member` is the provider's name for the output limit: OpenAI's own reasoning models know only
    `max_completion_tokens`, most others only `max_tokens`. `ask_usage` is false for providers that refuse
    `stream_options`. Raises `InvalidRequest` naming what cannot be expressed.
    """
    chat.require_absent(TARGET, "it has no such sampling", "top_k")
    if len(chat.stop) > MAX_STOPS:
        raise chat.cannot("stop", TARGET, f"it takes at most {MAX_STOPS} stop sequences")
    request: dict[str, Any] = {"model": model, "messages": write_messages(chat, TARGET, _assistant, _part)}
    if chat.tools:
        request["tools"] = [_tool(tool) for tool in chat.tools]
        if chat.tool_choice is not None:
            request["tool_choice"] = _tool_choice(chat.tool_choice)
        if not chat.parallel_tools:
            request["parallel_tool_calls"] = False
    optional = {
        limit_member: chat.max_tokens,
        "temperature": chat.temperature,
        "top_p": chat.top_p,
        "frequency_penalty": chat.frequency_penalty,
        "presence_penalty": chat.presence_penalty,
        "seed": chat.seed,
        "stop": list(chat.stop) or None,
        "response_format": _response_format(chat.response_format),
        "reasoning_effort": _effort(chat.reasoning),
        "user": chat.user if chat.user is not None and len(chat.user) <= LONGEST_USER else None,
    }
    request |= {name: value for name, value in optional.items() if value is not None}
    if chat.stream:
        request["stream"] = True
        if ask_usage:
            request["stream_options"] = {"include_usage": True}  # without it a stream says nothing of its cost
    return request


def _part(chat: Chat, part: Part) -> dict[str, Any]:
    match part:
        case File(url=str()):
            raise chat.cannot("messages", TARGET, "it takes documents as data, not by URL")
        case File(media_type="text/plain", data=str(data)):
            return {"type": "text", "text": _decoded(chat, data)}
        case File(media_type=media_type, data=data, name=name):
            url = f"data:{media_type};base64,{data}"
            return {"type": "file", "file": {"filename": name or "document.pdf", "file_data": url}}
    raise chat.cannot("messages", TARGET, f"it has no `{type(part).__name__}` in a user's message")


def _decoded(chat: Chat, data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise chat.cannot("messages", TARGET, "a text document in it is not valid base64 of UTF-8") from None


def _assistant(message: Message) -> dict[str, Any]:
    texts = [part for part in message.parts if isinstance(part, Text)]
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    written: dict[str, Any] = {"role": "assistant", "content": write_texts(texts) if texts else None}
    if calls:
        written["tool_calls"] = [write_tool_call(call) for call in calls]
    elif not texts:
        written["content"] = ""  # null is taken beside tool calls only
    for member in REASONING_MEMBERS:
        thoughts = [part for part in message.parts if isinstance(part, Thinking)]
        if text := "".join(part.text for part in thoughts if part.signature == SIGNATURE + member):
            written[member] = text
    return written


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    if tool.strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice) -> str | dict[str, Any]:
    if choice.mode == "named":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode


def _response_format(asked: JsonFormat | None) -> dict[str, Any] | None:
    if asked is None:
        return None
    if asked.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": asked.name, "schema": asked.schema, "strict": asked.strict}
    if asked.description is not None:
        schema["description"] = asked.description
    return {"type": "json_schema", "json_schema": schema}


def _effort(reasoning: Reasoning | None) -> str | None:
    if reasoning is None:
        return None
    if reasoning.effort is not None:
        return "xhigh" if reasoning.effort == "max" else reasoning.effort
    return None if reasoning.budget is None else effort_of(reasoning.budget)
