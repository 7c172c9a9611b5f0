"""What a provider's answer says, read off its own format: the yardstick for the gateway's reading."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.support.recordings import Recording


@dataclass(slots=True)
class Told:
    """`usage` is (input tokens, output tokens) with everything in them, or None where the provider did not say."""

    text: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    usage: tuple[int, int] | None = None
    error: str = ""
    """What the provider said went wrong, in the middle of a stream."""


def told(recording: Recording) -> Told:
    """The visible text, the tool calls and the usage of an answer of any recorded format."""
    pieces = recording.answer if recording.streams else [recording.answer]
    if recording.path.endswith("/chat/completions"):
        return _chat(pieces)
    if recording.path.endswith("/messages"):
        return _messages_stream(pieces) if recording.streams else _messages(pieces[0])
    if recording.path.endswith("/v2/chat"):
        return _cohere_stream(pieces) if recording.streams else _cohere(pieces[0])
    if recording.path.endswith("/responses"):
        return _responses(pieces)
    if recording.path.endswith("/embeddings"):
        return Told(usage=(pieces[0]["usage"]["prompt_tokens"], 0) if "usage" in pieces[0] else None)
    return _gemini(pieces)


def _parsed(arguments: str) -> Any:
    return json.loads(arguments) if arguments else {}


def _chat(chunks: list[Any]) -> Told:
    found, calls = Told(), dict[int, list[str]]()
    for chunk in chunks:
        found.error = (chunk.get("error") or {}).get("message", found.error)
        for choice in chunk.get("choices") or ():
            part = choice.get("message") or choice.get("delta") or {}
            content = part.get("content") or ""
            parts = [content] if isinstance(content, str) else [p.get("text", "") for p in content]
            found.text += "".join(parts)
            for at, call in enumerate(part.get("tool_calls") or ()):
                made = calls.setdefault(call.get("index", at), ["", ""])
                made[0] += call["function"].get("name") or ""
                made[1] += call["function"].get("arguments") or ""
        usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage")
        if usage:
            given = usage["prompt_tokens"]
            # Some count reasoning only in the total.
            made_tokens = max(usage.get("completion_tokens", 0), usage.get("total_tokens", 0) - given)
            found.usage = (given, made_tokens)
    found.calls = [(name, _parsed(arguments)) for name, arguments in calls.values()]
    return found


def _anthropic_usage(usage: dict[str, Any]) -> tuple[int, int]:
    inputs = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return sum(usage.get(name) or 0 for name in inputs), usage["output_tokens"]


def _messages(message: dict[str, Any]) -> Told:
    found = Told()
    for block in message.get("content") or ():
        if block["type"] == "text":
            found.text += block["text"]
        elif block["type"] == "tool_use":
            found.calls.append((block["name"], block["input"]))
    if "usage" in message:
        found.usage = _anthropic_usage(message["usage"])
    return found


def _messages_stream(events: list[Any]) -> Told:
    found, usage, arguments = Told(), dict[str, Any](), dict[int, list[str]]()
    for event in events:
        match event["type"]:
            case "message_start":
                usage.update(event["message"]["usage"])
            case "message_delta":
                usage.update({name: count for name, count in event["usage"].items() if count is not None})
            case "content_block_start" if event["content_block"]["type"] == "tool_use":
                arguments[event["index"]] = [event["content_block"]["name"], ""]
            case "content_block_delta":
                delta = event["delta"]
                found.text += delta.get("text", "") if delta["type"] == "text_delta" else ""
                if delta["type"] == "input_json_delta" and event["index"] in arguments:
                    arguments[event["index"]][1] += delta["partial_json"]
    found.calls = [(name, _parsed(given)) for name, given in arguments.values()]
    found.usage = _anthropic_usage(usage)
    return found


def _responses(pieces: list[Any]) -> Told:
    wholes = [piece.get("response", piece) for piece in pieces]
    usages = [usage for whole in wholes if isinstance(whole, dict) and (usage := whole.get("usage"))]
    return Told(usage=(usages[-1]["input_tokens"], usages[-1]["output_tokens"]) if usages else None)


def _cohere(answer: dict[str, Any]) -> Told:
    found = Told()
    for part in answer["message"].get("content") or ():
        found.text += part.get("text", "")
    for call in answer["message"].get("tool_calls") or ():
        found.calls.append((call["function"]["name"], _parsed(call["function"]["arguments"])))
    found.usage = _billed(answer["usage"])
    return found


def _cohere_stream(events: list[Any]) -> Told:
    found, calls = Told(), list[list[str]]()
    for event in events:
        delta = event.get("delta") or {}
        message = delta.get("message") or {}
        match event["type"]:
            case "content-start" | "content-delta":
                found.text += message["content"].get("text") or ""
            case "tool-call-start":
                function = message["tool_calls"]["function"]
                calls.append([function["name"], function["arguments"]])
            case "tool-call-delta":
                calls[-1][1] += message["tool_calls"]["function"]["arguments"]
            case "message-end":
                found.error, found.usage = delta.get("error") or "", _billed(delta["usage"])
    found.calls = [(name, _parsed(given)) for name, given in calls]
    return found


def _billed(usage: dict[str, Any]) -> tuple[int, int]:
    return usage["billed_units"]["input_tokens"], usage["billed_units"]["output_tokens"]


def _gemini(chunks: list[Any]) -> Told:
    found = Told()
    for chunk in chunks:
        for candidate in (chunk.get("candidates") or ())[:1]:
            for part in candidate.get("content", {}).get("parts") or ():
                if not part.get("thought"):
                    found.text += part.get("text") or ""
                if "functionCall" in part:
                    found.calls.append((part["functionCall"]["name"], part["functionCall"].get("args") or {}))
        if usage := chunk.get("usageMetadata"):
            given = usage.get("promptTokenCount", 0) + usage.get("toolUsePromptTokenCount", 0)
            found.usage = (given, usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0))
    return found
