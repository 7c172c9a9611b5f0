"""A neutral conversation as Cohere's chat. Source: Cohere's API reference, "Chat", and its guide "Reasoning".

Left out on purpose: cache markers (Cohere caches by itself), the user's name (no member for it), other providers'
thinking, `is_error` of tool results (the result says what went wrong), the name and description of a response schema
(labels only).
"""

from typing import Any, Final

from headgate.wire.chat import (
    EFFORT_BUDGETS,
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
)
from headgate.wire.openai_shape import write_messages, write_texts, write_tool_call

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
    request: dict[str, Any] = {
        "model": model,
        "messages": write_messages(chat, TARGET, _assistant, _part),
        "stream": chat.stream,
    }
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


def _part(chat: Chat, part: Part) -> dict[str, Any]:
    if isinstance(part, File):
        raise chat.cannot("messages", TARGET, "it takes no documents in a message")
    raise chat.cannot("messages", TARGET, f"it has no `{type(part).__name__}` in a user's message")


def _assistant(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"role": "assistant"}
    said = [part for part in message.parts if (isinstance(part, Text) and part.text) or _is_own(part, THINKING)]
    texts = [part for part in said if isinstance(part, Text)]
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if said:
        written["content"] = write_texts(texts) if len(texts) == len(said) else [_said(part) for part in said]
    elif not calls:
        written["content"] = ""
    if plan := "".join(part.text for part in message.parts if isinstance(part, Thinking) and part.signature == PLAN):
        written["tool_plan"] = plan
    if calls:
        written["tool_calls"] = [write_tool_call(call) for call in calls]
    return written


def _is_own(part: Part, signature: str) -> bool:
    return isinstance(part, Thinking) and part.signature == signature


def _said(part: Part) -> dict[str, Any]:
    if isinstance(part, Thinking):
        return {"type": "thinking", "thinking": part.text}
    assert isinstance(part, Text)
    return {"type": "text", "text": part.text}


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
