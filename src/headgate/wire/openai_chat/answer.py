"""A whole chat completion, read from any provider of the family and written for any of its clients."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from headgate.base import usage as meters
from headgate.base.errors import UpstreamFailed
from headgate.base.usage import Usage
from headgate.wire import loose
from headgate.wire.chat import (
    Answer,
    AssistantPart,
    Envelope,
    RedactedThinking,
    Stop,
    Text,
    Thinking,
    ToolCall,
    stop_of,
)
from headgate.wire.openai_chat.request_writer import REASONING_MEMBERS, SIGNATURE
from headgate.wire.openai_chat.usage import read_usage

STOPS: Final[Mapping[str, Stop]] = MappingProxyType(
    {
        "stop": Stop.END,
        "length": Stop.LENGTH,
        "model_length": Stop.LENGTH,  # Mistral
        "tool_calls": Stop.TOOL_CALLS,
        "function_call": Stop.TOOL_CALLS,
        "content_filter": Stop.REFUSAL,
        "sensitive": Stop.REFUSAL,  # Z.AI
    }
)
BROKEN_OFF: Final = ("error", "network_error", "insufficient_system_resource")
"""What OpenRouter, Z.AI and DeepSeek call an answer that they could not bring to its end."""

FINISH_REASONS: Final[Mapping[Stop, str]] = MappingProxyType(
    {
        Stop.END: "stop",
        Stop.STOP_SEQUENCE: "stop",
        Stop.LENGTH: "length",
        Stop.TOOL_CALLS: "tool_calls",
        Stop.REFUSAL: "content_filter",
        Stop.PAUSE: "stop",
    }
)


def read_answer(body: bytes) -> Answer:
    """The first choice. Raises `UpstreamFailed` for what is no answer, or one that the provider broke off."""
    completion = loose.decode_object(body)
    if (error := completion.get("error")) and not completion.get("choices"):
        raise UpstreamFailed(error_message(error))
    answer_id = loose.text(completion.get("id"))
    choice = next(iter(loose.mappings(completion.get("choices"))), {})
    reason = loose.text(choice.get("finish_reason"))
    if reason in BROKEN_OFF:
        raise broken_off(reason)
    parts = tuple(_parts(loose.mapping(choice.get("message")), answer_id))
    stop = Stop.REFUSAL if loose.mapping(choice.get("message")).get("refusal") else STOPS.get(reason, Stop.END)
    return Answer(
        id=answer_id,
        model=loose.text(completion.get("model")),
        parts=parts,
        stop=stop_of(stop, any(isinstance(part, ToolCall) for part in parts)),
        usage=read_usage(loose.mapping(completion.get("usage")), terms=completion.get("service_tier")),
    )


def error_message(error: object) -> str:
    """The sentence of an `error` member, whichever way the provider wrote it."""
    message = loose.text(loose.mapping(error).get("message")) or loose.text(error)
    return message or "The provider answered with an error it did not explain."


def broken_off(reason: str) -> UpstreamFailed:
    return UpstreamFailed(f"The provider broke off its answer (`{reason}`).")


def _parts(message: Mapping[str, Any], answer_id: str) -> Iterator[AssistantPart]:
    for member in REASONING_MEMBERS:
        if thoughts := loose.text(message.get(member)):
            yield Thinking(thoughts, SIGNATURE + member)
            break
    for kind, text in content_pieces(message.get("content")):
        yield Thinking(text, SIGNATURE) if kind == "thinking" else Text(text)
    if refusal := loose.text(message.get("refusal")):
        yield Text(refusal)
    for index, call in enumerate(loose.mappings(message.get("tool_calls"))):
        function = loose.mapping(call.get("function"))
        call_id = loose.text(call.get("id")) or made_up_id(answer_id, index)
        yield ToolCall(call_id, loose.text(function.get("name")), arguments_text(function.get("arguments")))


def content_pieces(content: object) -> Iterator[tuple[str, str]]:
    """(`text` or `thinking`, text) of a message's or delta's content: a string, or Mistral's list of chunks."""
    if isinstance(content, str) and content:
        yield "text", content
    for chunk in loose.mappings(content):
        if chunk.get("type") == "thinking":
            inner = chunk.get("thinking")
            yield (
                "thinking",
                loose.text(inner) or "".join(loose.text(piece.get("text")) for piece in loose.mappings(inner)),
            )
        elif text := loose.text(chunk.get("text")):
            yield "text", text


def arguments_text(arguments: object) -> str:
    """JSON text; some providers send the object itself."""
    return msgspec.json.encode(arguments).decode() if isinstance(arguments, dict) else loose.text(arguments)


def made_up_id(answer_id: str, index: int) -> str:
    """An id for a tool call that the provider gave none; the same one each time the answer is read."""
    return f"call_{answer_id}_{index}"


def write_answer(answer: Answer, envelope: Envelope) -> bytes:
    texts = [part.text for part in answer.parts if isinstance(part, Text)]
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts), "refusal": None}
    if calls:
        message["content"] = "".join(texts) or None
        message["tool_calls"] = [_tool_call(call) for call in calls]
    if thoughts := "".join(part.text for part in answer.parts if isinstance(part, Thinking)):
        message["reasoning_content"] = thoughts
    if blocks := [thinking_block(p) for p in answer.parts if isinstance(p, Thinking | RedactedThinking)]:
        message["thinking_blocks"] = blocks
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH_REASONS[answer.stop]}
    completion = {
        "id": answer.id or envelope.id,
        "object": "chat.completion",
        "created": envelope.created,
        "model": answer.model or envelope.model,
        "choices": [choice],
    }
    if answer.usage is not None:
        completion["usage"] = usage_object(answer.usage)
    return msgspec.json.encode(completion)


def thinking_block(part: Thinking | RedactedThinking) -> dict[str, Any]:
    """What an OpenAI client keeps of thinking, to send it back: LiteLLM's convention, which is Anthropic's block."""
    if isinstance(part, RedactedThinking):
        return {"type": "redacted_thinking", "data": part.data}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _tool_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}


def usage_object(usage: Usage) -> dict[str, Any]:
    """OpenAI's totals contain what its details list; what was written to a cache is told as OpenRouter does."""
    counts = usage.counts
    prompt = {
        "cached_tokens": counts.get(meters.CACHE_READ, 0) + counts.get(meters.CACHE_READ_AUDIO, 0),
        "audio_tokens": counts.get(meters.INPUT_AUDIO, 0) + counts.get(meters.CACHE_READ_AUDIO, 0),
    }
    if written := counts.get(meters.CACHE_WRITE, 0) + counts.get(meters.CACHE_WRITE_1H, 0):
        prompt["cache_write_tokens"] = written
    completion = {
        "reasoning_tokens": counts.get(meters.REASONING, 0),
        "audio_tokens": counts.get(meters.OUTPUT_AUDIO, 0),
    }
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": completion,
    }
