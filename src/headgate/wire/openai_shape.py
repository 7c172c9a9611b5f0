"""Messages in the shape that OpenAI gave them and others took over: what a chat format of that shape shares.

A result of a tool is a message of its own; one text is a string, several are parts; an image is a URL, with its data in
it if need be.
"""

from collections.abc import Callable, Sequence
from typing import Any

from headgate.wire.chat import Chat, Image, Message, Part, Text, ToolCall, ToolResult

Written = dict[str, Any]


def write_messages(
    chat: Chat, target: str, assistant: Callable[[Message], Written], part: Callable[[Chat, Part], Written]
) -> list[Written]:
    """`assistant` writes an assistant's message, `part` what is neither text nor image. `target` names the format in
    refusals: raises `InvalidRequest` for what it cannot express."""
    messages = [{"role": "system", "content": write_texts(chat.system)}] if chat.system else []
    for message in chat.messages:
        if message.role == "assistant":
            messages.append(assistant(message))
        else:
            messages += _turn(chat, target, message, part)
    return messages


def _turn(chat: Chat, target: str, message: Message, part: Callable[[Chat, Part], Written]) -> list[Written]:
    """A user's or system message; the results of tools come before the rest of it."""
    messages = [_tool_result(chat, target, each) for each in message.parts if isinstance(each, ToolResult)]
    parts = [each for each in message.parts if not isinstance(each, ToolResult)]
    if not parts:
        return messages
    texts = [each for each in parts if isinstance(each, Text)]
    content = write_texts(texts) if len(texts) == len(parts) else [_part(chat, each, part) for each in parts]
    return [*messages, {"role": message.role, "content": content}]


def _part(chat: Chat, part: Part, other: Callable[[Chat, Part], Written]) -> Written:
    match part:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Image(url=str(url)):
            return {"type": "image_url", "image_url": {"url": url}}
        case Image(media_type=media_type, data=data):
            return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}}
    return other(chat, part)


def _tool_result(chat: Chat, target: str, result: ToolResult) -> Written:
    texts = [part for part in result.parts if isinstance(part, Text)]
    if len(texts) != len(result.parts):
        raise chat.cannot("messages", target, "the result of a tool must be text there")
    return {"role": "tool", "tool_call_id": result.call_id, "content": write_texts(texts) or ""}


def write_texts(parts: Sequence[Text]) -> str | list[Written]:
    """One text as a string, which every provider takes; several as parts, so that none runs into the next."""
    return parts[0].text if len(parts) == 1 else [{"type": "text", "text": part.text} for part in parts]


def write_tool_call(call: ToolCall) -> Written:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
