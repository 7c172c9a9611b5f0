"""A neutral conversation as an Anthropic messages request."""

import base64
import binascii
import re
from typing import Any, Final

from headgate.wire.chat import (
    EFFORT_BUDGETS,
    CacheMarker,
    Chat,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    RedactedThinking,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    arguments_object,
)

TARGET: Final = "Anthropic messages"
LEAST_BUDGET: Final = 1_024
ADAPTIVE_SINCE: Final = (4, 6)
"""Claude models from this version think adaptively, guided by an effort; those before take a budget of tokens.
Source: Anthropic's "Adaptive thinking"."""
SILENT_SINCE: Final = (4, 7)
"""Claude models from this version deliver the text of their thinking only when asked to."""

_VERSION = re.compile(r"claude-[a-z]+-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")


def write_request(chat: Chat, model: str, *, default_max_tokens: int = 16_384) -> dict[str, Any]:
    """Anthropic requires an output limit: `default_max_tokens` is sent where the client set none.

    Raises `InvalidRequest` naming what cannot be expressed.
    """
    chat.require_absent(TARGET, "it has no such sampling", "frequency_penalty", "presence_penalty", "seed")
    if chat.temperature is not None and chat.temperature > 1:
        raise chat.cannot("temperature", TARGET, "its temperatures go from 0 to 1")
    max_tokens = chat.max_tokens or default_max_tokens
    messages = [_message(chat, message) for message in chat.messages]
    request: dict[str, Any] = {
        "model": model,
        "max_tokens": max_tokens,
        "messages": [message for message in messages if message["content"]],
    }
    optional = {
        "system": [_part(chat, part) for part in chat.system] or None,
        "tools": [_tool(tool) for tool in chat.tools] or None,
        "tool_choice": _tool_choice(chat),
        "temperature": chat.temperature,
        "top_p": chat.top_p,
        "top_k": chat.top_k,
        "stop_sequences": list(chat.stop) or None,
        "thinking": None if chat.reasoning is None else _thinking(chat, chat.reasoning, model, max_tokens),
        "output_config": _output_config(chat, model) or None,
        "metadata": None if chat.user is None else {"user_id": chat.user},
        "cache_control": None if chat.cache is None else _marker(chat.cache),
        "stream": True if chat.stream else None,
    }
    return request | {name: value for name, value in optional.items() if value is not None}


def _version(model: str) -> tuple[int, int]:
    """(4, 6) of `claude-opus-4-6`; (0, 0) of names without a version in this place, which are older or unknown."""
    match = _VERSION.search(model)
    return (0, 0) if match is None else (int(match[1]), int(match[2] or 0))


def _message(chat: Chat, message: Message) -> dict[str, Any]:
    """Instructions in mid-conversation stay where they stand: most models have no role for them, so the user says them,
    marked as what they are. An empty text block is refused by Anthropic, and says nothing.
    """
    if message.role == "system":
        text = "\n\n".join(part.text for part in message.parts if isinstance(part, Text))
        return {"role": "user", "content": [{"type": "text", "text": f"<system>\n{text}\n</system>"}]}
    said = [part for part in message.parts if part != Text("") and not _foreign(part)]
    said.sort(key=lambda part: not isinstance(part, ToolResult))  # results of tools must come first
    return {"role": message.role, "content": [_part(chat, part) for part in said]}


def _foreign(part: Part) -> bool:
    """Thinking of another provider, or without signature: Anthropic would refuse it."""
    return isinstance(part, Thinking) and (not part.signature or ":" in part.signature)


def _part(chat: Chat, part: Part) -> dict[str, Any]:
    block: dict[str, Any]
    match part:
        case Thinking(text=text, signature=signature):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case RedactedThinking(data=data):
            return {"type": "redacted_thinking", "data": data}
        case Text(text=text):
            block = {"type": "text", "text": text}
        case Image():
            block = {"type": "image", "source": _source(part)}
        case File():
            block = {"type": "document", "source": _document_source(chat, part)}
            if part.name is not None:
                block["title"] = part.name
        case ToolCall(id=call_id, name=name, arguments=arguments):
            block = {"type": "tool_use", "id": _id(call_id), "name": name, "input": arguments_object(arguments)}
        case ToolResult():
            content = [_part(chat, inner) for inner in part.parts if inner != Text("")]
            block = {"type": "tool_result", "tool_use_id": _id(part.call_id), "content": content}
            if part.is_error:
                block["is_error"] = True
    if part.cache is not None:
        block["cache_control"] = _marker(part.cache)
    return block


def _id(call_id: str) -> str:
    """Other providers' ids hold characters that Anthropic refuses; the same id is always written the same way."""
    return _NOT_IN_IDS.sub("_", call_id)


def _source(part: Image | File) -> dict[str, Any]:
    if part.url is not None:
        return {"type": "url", "url": part.url}
    return {"type": "base64", "media_type": part.media_type, "data": part.data}


def _document_source(chat: Chat, file: File) -> dict[str, Any]:
    if file.url is not None or file.media_type != "text/plain":
        return _source(file)
    try:
        text = base64.b64decode(file.data or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise chat.cannot("messages", TARGET, "a text document in it is not valid base64 of UTF-8") from None
    return {"type": "text", "media_type": "text/plain", "data": text}


def _marker(cache: CacheMarker) -> dict[str, Any]:
    return {"type": "ephemeral"} if cache.ttl is None else {"type": "ephemeral", "ttl": cache.ttl}


def _tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name, "input_schema": {"type": "object", **(tool.parameters or {})}}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.strict:
        written["strict"] = True
    if tool.cache is not None:
        written["cache_control"] = _marker(tool.cache)
    return written


def _tool_choice(chat: Chat) -> dict[str, Any] | None:
    if not chat.tools or (chat.tool_choice is None and chat.parallel_tools):
        return None
    mode = "auto" if chat.tool_choice is None else chat.tool_choice.mode
    choice: dict[str, Any] = {"type": {"required": "any", "named": "tool"}.get(mode, mode)}
    if chat.tool_choice is not None and mode == "named":
        choice["name"] = chat.tool_choice.name
    if not chat.parallel_tools and mode != "none":
        choice["disable_parallel_tool_use"] = True
    return choice


def _thinking(chat: Chat, reasoning: Reasoning, model: str, max_tokens: int) -> dict[str, Any]:
    if reasoning.off:
        return {"type": "disabled"}
    if reasoning.budget is not None:
        return {"type": "enabled", "budget_tokens": reasoning.budget}
    if _version(model) >= ADAPTIVE_SINCE:
        if not reasoning.shown:
            return {"type": "adaptive", "display": "omitted"}
        return {"type": "adaptive"} | ({"display": "summarized"} if _version(model) >= SILENT_SINCE else {})
    if max_tokens <= LEAST_BUDGET:
        why = f"thinking needs at least {LEAST_BUDGET} tokens within the output limit of {max_tokens}"
        raise chat.cannot("reasoning", TARGET, why)
    wanted = EFFORT_BUDGETS.get(reasoning.effort or "medium", EFFORT_BUDGETS["medium"])
    return {"type": "enabled", "budget_tokens": max(LEAST_BUDGET, min(wanted, max_tokens // 2))}


def _output_config(chat: Chat, model: str) -> dict[str, Any]:
    config: dict[str, Any] = {}
    effort = None if chat.reasoning is None or chat.reasoning.off else chat.reasoning.effort
    if effort is not None and _version(model) >= ADAPTIVE_SINCE:
        config["effort"] = "low" if effort == "minimal" else effort
    if chat.response_format is not None:
        if chat.response_format.schema is None:
            raise chat.cannot("response_format", TARGET, "it gives JSON only by a schema (`json_schema`)")
        config["format"] = {"type": "json_schema", "schema": chat.response_format.schema}
    return config
