"""A whole Anthropic message, read from the provider and written for its clients."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from headgate.base import usage as meters
from headgate.base.errors import UpstreamFailed
from headgate.base.usage import Usage
from headgate.wire import loose
from headgate.wire.anthropic_messages.usage import read_usage
from headgate.wire.chat import (
    Answer,
    AssistantPart,
    Envelope,
    RedactedThinking,
    Stop,
    Text,
    Thinking,
    ToolCall,
    arguments_object,
    stop_of,
)

STOPS: Final[Mapping[str, Stop]] = MappingProxyType(
    {
        "end_turn": Stop.END,
        "stop_sequence": Stop.STOP_SEQUENCE,
        "max_tokens": Stop.LENGTH,
        "model_context_window_exceeded": Stop.LENGTH,
        "tool_use": Stop.TOOL_CALLS,
        "refusal": Stop.REFUSAL,
        "pause_turn": Stop.PAUSE,
    }
)
STOP_REASONS: Final[Mapping[Stop, str]] = MappingProxyType(
    {
        Stop.END: "end_turn",
        Stop.STOP_SEQUENCE: "stop_sequence",
        Stop.LENGTH: "max_tokens",
        Stop.TOOL_CALLS: "tool_use",
        Stop.REFUSAL: "refusal",
        Stop.PAUSE: "pause_turn",
    }
)


def read_answer(body: bytes) -> Answer:
    """Blocks that only Anthropic has (server tools and their results) are passed over. Raises `UpstreamFailed`."""
    message = loose.decode_object(body)
    if message.get("type") == "error":
        raise UpstreamFailed(error_message(message.get("error")))
    answer_id = loose.text(message.get("id"))
    parts = tuple(_parts(message.get("content"), answer_id))
    stop = STOPS.get(loose.text(message.get("stop_reason")), Stop.END)
    return Answer(
        id=answer_id,
        model=loose.text(message.get("model")),
        parts=parts,
        stop=stop_of(stop, any(isinstance(part, ToolCall) for part in parts)),
        stop_sequence=loose.text(message.get("stop_sequence")) or None,
        usage=read_usage(loose.mapping(message.get("usage"))),
    )


def error_message(error: object) -> str:
    return loose.text(loose.mapping(error).get("message")) or "The provider answered with an error it did not explain."


def _parts(content: object, answer_id: str) -> Iterator[AssistantPart]:
    for index, block in enumerate(loose.mappings(content)):
        match block.get("type"):
            case "text":
                if text := loose.text(block.get("text")):
                    yield Text(text)
            case "tool_use":
                call_id = loose.text(block.get("id")) or made_up_id(answer_id, index)
                arguments = msgspec.json.encode(loose.mapping(block.get("input"))).decode()
                yield ToolCall(call_id, loose.text(block.get("name")), arguments)
            case "thinking":
                yield Thinking(loose.text(block.get("thinking")), loose.text(block.get("signature")))
            case "redacted_thinking":
                yield RedactedThinking(loose.text(block.get("data")))


def made_up_id(answer_id: str, index: int) -> str:
    """An id for a tool call that the provider gave none; the same one each time the answer is read."""
    return f"toolu_{answer_id}_{index}"


def write_answer(answer: Answer, envelope: Envelope) -> bytes:
    message = {
        "id": answer.id or envelope.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model or envelope.model,
        "content": [_block(part) for part in answer.parts],
        "stop_reason": STOP_REASONS[answer.stop],
        "stop_sequence": answer.stop_sequence,
        "usage": usage_object(answer.usage),
    }
    return msgspec.json.encode(message)


def _block(part: AssistantPart) -> dict[str, Any]:
    match part:
        case Text(text=text):
            return {"type": "text", "text": text}
        case ToolCall(id=call_id, name=name, arguments=arguments):
            return {"type": "tool_use", "id": call_id, "name": name, "input": arguments_object(arguments)}
        case Thinking(text=text, signature=signature):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case RedactedThinking(data=data):
            return {"type": "redacted_thinking", "data": data}


def usage_object(usage: Usage | None) -> dict[str, Any]:
    """Anthropic's totals are disjoint. Its clients need an object even where nothing is known yet: zeros then."""
    counts: Mapping[str, int] = {} if usage is None else usage.counts
    five_minutes, one_hour = counts.get(meters.CACHE_WRITE, 0), counts.get(meters.CACHE_WRITE_1H, 0)
    cached = counts.get(meters.CACHE_READ, 0) + counts.get(meters.CACHE_READ_AUDIO, 0)
    everything = 0 if usage is None else usage.input_tokens
    return {
        "input_tokens": everything - cached - five_minutes - one_hour,
        "cache_creation_input_tokens": five_minutes + one_hour,
        "cache_read_input_tokens": cached,
        "cache_creation": {"ephemeral_5m_input_tokens": five_minutes, "ephemeral_1h_input_tokens": one_hour},
        "output_tokens": 0 if usage is None else usage.output_tokens,
    }
