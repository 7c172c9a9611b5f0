"""What an answer says, read from its JSON by hand and without the code under test: text, tool calls, stop, tokens."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

Call = tuple[str, Any]
"""Name and decoded arguments."""


@dataclass(frozen=True, slots=True)
class Said:
    """`stop` is `end`, `length`, `tools` or `refusal`; the tokens are all of them, cached and reasoning included."""

    text: str
    calls: tuple[Call, ...]
    stop: str
    input: int | None
    output: int | None
    thoughts: str = ""


_STOPS: Final = {
    **dict.fromkeys(("stop", "end_turn", "stop_sequence", "STOP", "pause_turn", "COMPLETE", "STOP_SEQUENCE"), "end"),
    **dict.fromkeys(("length", "max_tokens", "MAX_TOKENS"), "length"),
    **dict.fromkeys(("tool_calls", "tool_use", "TOOL_CALL"), "tools"),
    **dict.fromkeys(("content_filter", "refusal", "SAFETY"), "refusal"),
}


def events(stream: bytes) -> list[Any]:
    """The decoded `data` of every event that has one, `[DONE]` left out."""
    lines = stream.decode().replace("\r\n", "\n").split("\n")
    data = [line[5:].strip() for line in lines if line.startswith("data:")]
    return [json.loads(one) for one in data if one != "[DONE]"]


def _said(
    text: str, calls: Iterable[Call], stop: str, tokens: tuple[int | None, int | None], thoughts: str = ""
) -> Said:
    found = tuple(calls)
    kind = _STOPS.get(stop, stop)
    return Said(text, found, "tools" if found and kind == "end" else kind, *tokens, thoughts)


def _openai_tokens(usage: dict[str, Any] | None) -> tuple[int | None, int | None]:
    """What is in the total and in neither part was billed as output."""
    if not usage:
        return None, None
    parts = usage["prompt_tokens"], usage["completion_tokens"]
    return parts[0], max(parts[1], usage.get("total_tokens", 0) - parts[0])


def _arguments(arguments: str | None) -> Any:
    """Decoded; as they are where they are no JSON, which is the model's doing."""
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def _openai_text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(chunk.get("text", "") for chunk in content if chunk["type"] == "text")
    return content or ""


def openai(answer: dict[str, Any]) -> Said:
    choice = answer["choices"][0]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls") or []]
    return _said(
        _openai_text(message.get("content")) + (message.get("refusal") or ""),
        [(call["name"], _arguments(call.get("arguments"))) for call in calls],
        choice["finish_reason"],
        _openai_tokens(answer.get("usage")),
        message.get("reasoning_content") or message.get("reasoning") or "",
    )


def openai_stream(chunks: list[Any]) -> Said:
    text, thoughts, stop, usage = "", "", "", None
    calls: list[list[str]] = []
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            delta = choice.get("delta", {})
            text += _openai_text(delta.get("content"))
            thoughts += delta.get("reasoning_content") or delta.get("reasoning") or ""
            stop = choice.get("finish_reason") or stop
            for call in delta.get("tool_calls") or []:
                if call["index"] == len(calls):
                    calls.append([call["function"]["name"], ""])
                calls[call["index"]][1] += call["function"].get("arguments") or ""
    decoded = [(name, _arguments(arguments)) for name, arguments in calls]
    return _said(text, decoded, stop, _openai_tokens(usage), thoughts)


def _anthropic_tokens(usage: dict[str, Any]) -> tuple[int, int]:
    read, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    return usage["input_tokens"] + read + written, usage["output_tokens"]


def anthropic(answer: dict[str, Any]) -> Said:
    blocks = answer["content"]
    return _said(
        "".join(block["text"] for block in blocks if block["type"] == "text"),
        [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
        answer["stop_reason"],
        _anthropic_tokens(answer["usage"]),
        "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
    )


def anthropic_stream(found: list[Any]) -> Said:
    """Also holds the stream to its grammar: blocks one after the other, in order, inside the message."""
    blocks: list[dict[str, Any]] = []
    open_block: int | None = None
    message: dict[str, Any] = {}
    ended = False
    for event in found:
        assert not ended
        match event["type"]:
            case "message_start":
                assert not message
                message = event["message"]
            case "content_block_start":
                assert open_block is None
                assert event["index"] == len(blocks)
                open_block = event["index"]
                blocks.append({**event["content_block"], "json": ""})
            case "content_block_delta":
                assert event["index"] == open_block
                _add(blocks[-1], event["delta"])
            case "content_block_stop":
                assert event["index"] == open_block
                open_block = None
            case "message_delta":
                assert open_block is None
                message["stop_reason"] = event["delta"]["stop_reason"]
                message["usage"] = message["usage"] | event["usage"]
            case "message_stop":
                ended = True
    assert ended
    for block in blocks:
        block["input"] = _arguments(block["json"]) if block["json"] else block.get("input")
    return anthropic({**message, "content": blocks})


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    names = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
    if (name := names.get(delta["type"])) is not None:
        into = "json" if name == "partial_json" else name
        block[into] = block.get(into, "") + delta[name]


def gemini(answer: dict[str, Any]) -> Said:
    return gemini_stream([answer])


def gemini_stream(chunks: list[Any]) -> Said:
    parts = [part for chunk in chunks for part in chunk["candidates"][0].get("content", {}).get("parts") or []]
    stops = [chunk["candidates"][0].get("finishReason") for chunk in chunks]
    usage = chunks[-1]["usageMetadata"]
    prompt = usage["promptTokenCount"] + usage.get("toolUsePromptTokenCount", 0)
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    return _said(
        "".join(part["text"] for part in parts if "text" in part and not part.get("thought")),
        [(call["name"], call["args"]) for call in calls],
        next(stop for stop in stops if stop),
        (prompt, usage["totalTokenCount"] - prompt),
        "".join(part["text"] for part in parts if part.get("thought")),
    )


def cohere(answer: dict[str, Any]) -> Said:
    """The plan of a turn with tool calls counts as thoughts; the tokens are those that are billed."""
    message, billed = answer["message"], answer["usage"]["billed_units"]
    pieces = message.get("content") or []
    calls = [call["function"] for call in message.get("tool_calls") or []]
    return _said(
        "".join(piece.get("text", "") for piece in pieces),
        [(call["name"], _arguments(call["arguments"])) for call in calls],
        answer["finish_reason"],
        (billed["input_tokens"], billed["output_tokens"]),
        "".join(piece.get("thinking", "") for piece in pieces) + message.get("tool_plan", ""),
    )


WHOLE: Final[dict[str, Callable[[dict[str, Any]], Said]]] = {
    "openai_chat": openai,
    "anthropic_messages": anthropic,
    "gemini": gemini,
    "cohere_chat": cohere,
}
STREAMED: Final[dict[str, Callable[[list[Any]], Said]]] = {
    "openai_chat": openai_stream,
    "anthropic_messages": anthropic_stream,
    "gemini": gemini_stream,
}
