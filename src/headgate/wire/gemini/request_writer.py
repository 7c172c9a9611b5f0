"""A neutral conversation as Gemini's generateContent. Source: Google's API reference, "Generating content".

Left out on purpose: cache markers (Gemini caches by itself), the user's name (no member for it), the title of a
document and the name and description of a response schema (labels only).
"""

import re
from typing import Any, Final
from urllib.parse import urlsplit

from headgate.wire.chat import (
    EFFORT_BUDGETS,
    Chat,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    arguments_object,
)

TARGET: Final = "Gemini"
MAX_STOPS: Final = 5
SIGNATURE: Final = "gemini:"
"""Before Gemini's own signature in what a client keeps."""
UNSIGNED: Final = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""`skip_thought_signature_validator` in base64. Gemini 3 refuses a turn whose first function call is not signed, and
documents this word for calls that another provider's model made."""

_VERSION = re.compile(r"gemini-(\d+)")
_MEDIA_TYPES: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "txt": "text/plain",
}


def write_request(chat: Chat, model: str) -> dict[str, Any]:
    """The body; model and streaming are said by the path. Raises `InvalidRequest` naming what cannot be expressed."""
    if len(chat.stop) > MAX_STOPS:
        raise chat.cannot("stop", TARGET, f"it takes at most {MAX_STOPS} stop sequences")
    if chat.tools and not chat.parallel_tools:
        raise chat.cannot("parallel_tools", TARGET, "it decides itself how many tools it calls at once")
    request: dict[str, Any] = {"contents": _contents(chat)}
    if chat.system:
        request["systemInstruction"] = {"parts": [{"text": part.text} for part in chat.system]}
    if chat.tools:
        request["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in chat.tools]}]
        if (calling := _calling(chat)) is not None:
            request["toolConfig"] = {"functionCallingConfig": calling}
    config = {
        "maxOutputTokens": chat.max_tokens,
        "temperature": chat.temperature,
        "topP": chat.top_p,
        "topK": chat.top_k,
        "frequencyPenalty": chat.frequency_penalty,
        "presencePenalty": chat.presence_penalty,
        "seed": chat.seed,
        "stopSequences": list(chat.stop) or None,
        "responseMimeType": None if chat.response_format is None else "application/json",
        "responseJsonSchema": None if chat.response_format is None else chat.response_format.schema,
        "thinkingConfig": None if chat.reasoning is None else _thinking(chat, chat.reasoning, model),
    }
    if generation := {name: value for name, value in config.items() if value is not None}:
        request["generationConfig"] = generation
    return request


def _contents(chat: Chat) -> list[dict[str, Any]]:
    contents, calls = [], dict[str, ToolCall]()
    for message in chat.messages:
        if message.role == "assistant":
            calls |= {part.id: part for part in message.parts if isinstance(part, ToolCall)}
            parts = _model_parts(message)
        else:
            parts = _user_parts(chat, message, calls)
        if parts:
            contents.append({"role": "model" if message.role == "assistant" else "user", "parts": parts})
    return contents


def _model_parts(message: Message) -> list[dict[str, Any]]:
    """Gemini's signature stands on the part after the thinking it proves; on an empty text where there is none."""
    parts: list[dict[str, Any]] = []
    signature: str | None = None
    signed_call = False
    for part in message.parts:
        if isinstance(part, Thinking):
            if part.signature.startswith(SIGNATURE):
                signature = part.signature.removeprefix(SIGNATURE) or None
                parts += [{"text": part.text, "thought": True}] if part.text else []
            continue
        if isinstance(part, ToolCall):
            written: dict[str, Any] = {"functionCall": _call(part)}
            signature = signature or (None if signed_call else UNSIGNED)
            signed_call = True
        elif isinstance(part, Text) and (part.text or signature):
            written = {"text": part.text}
        else:
            continue
        parts.append(written | ({} if signature is None else {"thoughtSignature": signature}))
        signature = None
    if signature is not None:
        parts.append({"text": "", "thoughtSignature": signature})
    return parts


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "name": call.name, "args": arguments_object(call.arguments)}


def _user_parts(chat: Chat, message: Message, calls: dict[str, ToolCall]) -> list[dict[str, Any]]:
    """Results of tools first, in the order of their calls: Gemini matches them by name and place.

    Instructions in mid-conversation stay where they stand: Gemini has no role for them, so the user says them, marked
    as what they are.
    """
    if message.role == "system":
        text = "\n\n".join(part.text for part in message.parts if isinstance(part, Text))
        return [{"text": f"<system>\n{text}\n</system>"}]
    order = {call_id: place for place, call_id in enumerate(calls)}
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    results.sort(key=lambda result: order.get(result.call_id, 0))
    said = [part for part in message.parts if not isinstance(part, ToolResult) and part != Text("")]
    return [_result(chat, result, calls) for result in results] + [_part(chat, part) for part in said]


def _result(chat: Chat, result: ToolResult, calls: dict[str, ToolCall]) -> dict[str, Any]:
    call = calls.get(result.call_id)
    if call is None:
        raise chat.cannot(
            "messages", TARGET, f"no tool call before it has the id `{result.call_id}` of a tool's result"
        )
    text = "".join(part.text for part in result.parts if isinstance(part, Text))
    response: dict[str, Any] = {"id": call.id, "name": call.name, "response": {_outcome(result): text}}
    if media := [_part(chat, part) for part in result.parts if not isinstance(part, Text)]:
        response["parts"] = media
    return {"functionResponse": response}


def _outcome(result: ToolResult) -> str:
    return "error" if result.is_error else "output"


def _part(chat: Chat, part: Part) -> dict[str, Any]:
    match part:
        case Text(text=text):
            return {"text": text}
        case Image(url=str(url)) | File(url=str(url)):
            media_type = part.media_type or _MEDIA_TYPES.get(urlsplit(url).path.rpartition(".")[2].lower())
            return {"fileData": {"fileUri": url} | ({} if media_type is None else {"mimeType": media_type})}
        case Image(media_type=media_type, data=data) | File(media_type=media_type, data=data):
            return {"inlineData": {"mimeType": media_type, "data": data}}
    raise chat.cannot("messages", TARGET, f"it has no `{type(part).__name__}` in a user's message")


def _declaration(tool: Tool) -> dict[str, Any]:
    """The schema goes as the client wrote it, in the member that takes full JSON schema."""
    optional = {"description": tool.description, "parametersJsonSchema": tool.parameters or None}
    return {"name": tool.name} | {name: value for name, value in optional.items() if value is not None}


def _calling(chat: Chat) -> dict[str, Any] | None:
    """Where a tool is strict, free choice still keeps to the schemas: Gemini's `VALIDATED`."""
    mode = None if chat.tool_choice is None else chat.tool_choice.mode
    if mode in (None, "auto") and any(tool.strict for tool in chat.tools):
        return {"mode": "VALIDATED"}
    match mode:
        case None:
            return None
        case "named":
            assert chat.tool_choice is not None
            return {"mode": "ANY", "allowedFunctionNames": [chat.tool_choice.name]}
    return {"mode": {"auto": "AUTO", "none": "NONE", "required": "ANY"}[mode]}


def _thinking(chat: Chat, reasoning: Reasoning, model: str) -> dict[str, Any]:
    """Gemini 3 takes levels, its elders budgets. Source of the mapping: Google's "OpenAI compatibility"."""
    version = _VERSION.search(model)
    levels = version is not None and int(version[1]) >= 3
    if reasoning.off:
        if levels:
            raise chat.cannot("reasoning", TARGET, f"the thinking of `{model}` cannot be switched off")
        return {"thinkingBudget": 0}
    config: dict[str, Any] = {"includeThoughts": reasoning.shown}
    if reasoning.effort is None or reasoning.budget is not None:
        return config if reasoning.budget is None else config | {"thinkingBudget": reasoning.budget}
    if not levels:
        return config | {"thinkingBudget": min(EFFORT_BUDGETS.get(reasoning.effort, -1), EFFORT_BUDGETS["high"])}
    level = "high" if reasoning.effort in ("xhigh", "max") else reasoning.effort
    return config | {"thinkingLevel": "low" if level == "minimal" and "pro" in model else level}
