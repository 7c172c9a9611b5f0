"""A neutral conversation as Cohere's chat. Source: Cohere's API reference, "Chat", and its guide "Reasoning".

Left out on purpose: cache markers (Cohere caches by itself), the user's name (no member for it), other providers'
thinking, `is_error` of tool results (the result says what went wrong), the name and description of a response schema
(labels only).
"""

from collections.abc import Sequence
from typing import Any, Final

from headgate.wire.chat import (
    EFFORT_BUDGETS,
    Chat,
    File,
    Image,
    JsonFormat,
    Message,
    Part,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)

TARGET: Final = "Cohere chat"
MAX_STOPS: Final = 5
THINKING: Final = "cohere:thinking"
"""The signature of what came as a part of the content; it goes back as one."""
PLAN: Final = "cohere:tool_plan"
"""The signature of what came as the plan of a turn that calls tools; it goes back as that."""

_LIMITED_EFFORTS: Final = frozenset({"minimal", "low", "medium"})
"""Above them a model may think as much as it sees fit, which is what Cohere recommends."""


def write_request(chat: Chat, model: str) -> dict[str, Any]:
    """Raises `InvalidRequest` naming what cannot be expressed."""
    if len(chat.stop) > MAX_STOPS:
        raise chat.cannot("stop", TARGET, f"it takes at most {MAX_STOPS} stop sequences")
    if chat.tools and not chat.parallel_tools:
        raise chat.cannot("parallel_tools", TARGET, "it decides itself how many tools it calls at once")
    if chat.tools and chat.response_format is not None:
        raise chat.cannot("response_format", TARGET, "it does not take a response format together with tools")
    request: dict[str, Any] = {"model": model, "messages": _messages(chat), "stream": chat.stream}
    if chat.tools:
        request |= _tools(chat)
    optional = {
        "max_tokens": chat.max_tokens,
        "temperature": chat.temperature,
        "p": chat.top_p,
        "k": chat.top_k,
        "frequency_penalty": chat.frequency_penalty,
        "presence_penalty": chat.presence_penalty,
        "seed": chat.seed,
        "stop_sequences": list(chat.stop) or None,
        "response_format": None if chat.response_format is None else _response_format(chat.response_format),
        "thinking": None if chat.reasoning is None else _thinking(chat.reasoning),
    }
    return request | {name: value for name, value in optional.items() if value is not None}


def _messages(chat: Chat) -> list[dict[str, Any]]:
    messages = [{"role": "system", "content": _texts(chat.system)}] if chat.system else []
    for message in chat.messages:
        if message.role == "assistant":
            messages.append(_assistant(message))
        else:
            messages += _turn(chat, message)
    return messages


def _turn(chat: Chat, message: Message) -> list[dict[str, Any]]:
    """A user's or system message; each result of a tool is a message of its own, and they come first."""
    messages = [_tool_result(chat, part) for part in message.parts if isinstance(part, ToolResult)]
    parts = [part for part in message.parts if not isinstance(part, ToolResult)]
    if not parts:
        return messages
    texts = [part for part in parts if isinstance(part, Text)]
    content = _texts(texts) if len(texts) == len(parts) else [_part(chat, part) for part in parts]
    return [*messages, {"role": message.role, "content": content}]


def _texts(parts: Sequence[Text]) -> str | list[dict[str, Any]]:
    """One text as a string; several as parts, so that none runs into the next."""
    return parts[0].text if len(parts) == 1 else [{"type": "text", "text": part.text} for part in parts]


def _part(chat: Chat, part: Part) -> dict[str, Any]:
    match part:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Image(url=str(url)):
            return {"type": "image_url", "image_url": {"url": url}}
        case Image(media_type=media_type, data=data):
            return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}}
        case File():
            raise chat.cannot("messages", TARGET, "it takes no documents in a message")
    raise chat.cannot("messages", TARGET, f"it has no `{type(part).__name__}` in a user's message")


def _tool_result(chat: Chat, result: ToolResult) -> dict[str, Any]:
    texts = [part for part in result.parts if isinstance(part, Text)]
    if len(texts) != len(result.parts):
        raise chat.cannot("messages", TARGET, "the result of a tool must be text there")
    return {"role": "tool", "tool_call_id": result.call_id, "content": _texts(texts) or ""}


def _assistant(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"role": "assistant"}
    said = [part for part in message.parts if (isinstance(part, Text) and part.text) or _is_own(part, THINKING)]
    texts = [part for part in said if isinstance(part, Text)]
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if said:
        written["content"] = _texts(texts) if len(texts) == len(said) else [_said(part) for part in said]
    elif not calls:
        written["content"] = ""
    if plan := "".join(part.text for part in message.parts if isinstance(part, Thinking) and part.signature == PLAN):
        written["tool_plan"] = plan
    if calls:
        written["tool_calls"] = [_tool_call(call) for call in calls]
    return written


def _is_own(part: Part, signature: str) -> bool:
    return isinstance(part, Thinking) and part.signature == signature


def _said(part: Part) -> dict[str, Any]:
    if isinstance(part, Thinking):
        return {"type": "thinking", "thinking": part.text}
    assert isinstance(part, Text)
    return {"type": "text", "text": part.text}


def _tool_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function}


def _tools(chat: Chat) -> dict[str, Any]:
    """Cohere cannot be told which tool to call, only that it must call one: it is shown the one that is wanted.

    It keeps to the schemas of all tools or of none, so one strict tool makes them all strict.
    """
    choice, tools = chat.tool_choice, chat.tools
    if choice is not None and choice.mode == "named":
        tools = tuple(tool for tool in tools if tool.name == choice.name)
        if not tools:
            raise chat.cannot("tool_choice", TARGET, f"there is no tool `{choice.name}` among the tools")
    members: dict[str, Any] = {"tools": [_tool(tool) for tool in tools]}
    if any(tool.strict for tool in tools):
        members["strict_tools"] = True
    if choice is not None and choice.mode != "auto":
        members["tool_choice"] = "NONE" if choice.mode == "none" else "REQUIRED"
    return members


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "parameters": tool.parameters or {"type": "object"}}
    if tool.description is not None:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _response_format(asked: JsonFormat) -> dict[str, Any]:
    return {"type": "json_object"} | ({} if asked.schema is None else {"json_schema": asked.schema})


def _thinking(reasoning: Reasoning) -> dict[str, Any]:
    if reasoning.off:
        return {"type": "disabled"}
    budget = reasoning.budget
    if budget is None and reasoning.effort in _LIMITED_EFFORTS:
        budget = EFFORT_BUDGETS[reasoning.effort]
    return {"type": "enabled"} | ({} if budget is None else {"token_budget": budget})
