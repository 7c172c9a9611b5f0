"""A whole answer of Cohere's chat.

Its citations are passed over; the text they belong to is kept. The plan of a turn that calls tools is thinking: Cohere
calls it "a chain-of-thought style reflection".
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from headgate.base.errors import UpstreamFailed
from headgate.wire import loose
from headgate.wire.chat import Answer, AssistantPart, Stop, Text, Thinking, ToolCall, stop_of
from headgate.wire.cohere_chat.request_writer import PLAN, THINKING
from headgate.wire.cohere_chat.usage import read_usage

STOPS: Final[Mapping[str, Stop]] = MappingProxyType(
    {
        "COMPLETE": Stop.END,
        "STOP_SEQUENCE": Stop.STOP_SEQUENCE,
        "MAX_TOKENS": Stop.LENGTH,
        "TOOL_CALL": Stop.TOOL_CALLS,
    }
)
BROKEN_OFF: Final = ("ERROR", "TIMEOUT")
"""What Cohere calls an answer that it could not bring to its end."""


def read_answer(body: bytes) -> Answer:
    """Raises `UpstreamFailed` for what is no answer, or one that Cohere broke off."""
    answer = loose.decode_object(body)
    message = answer.get("message")
    if answer.get("error") or isinstance(message, str):
        raise UpstreamFailed(error_message(answer.get("error") or message))
    reason = loose.text(answer.get("finish_reason"))
    if reason in BROKEN_OFF:
        raise UpstreamFailed(broken_off(reason))
    answer_id = loose.text(answer.get("id"))
    parts = tuple(_parts(loose.mapping(message), answer_id))
    return Answer(
        id=answer_id,
        model="",
        parts=parts,
        stop=stop_of(STOPS.get(reason, Stop.END), any(isinstance(part, ToolCall) for part in parts)),
        usage=read_usage(loose.mapping(answer.get("usage"))),
    )


def error_message(error: object) -> str:
    message = loose.text(loose.mapping(error).get("message")) or loose.text(error)
    return message or "The provider answered with an error it did not explain."


def broken_off(reason: str) -> str:
    return f"The provider broke off its answer (`{reason}`)."


def _parts(message: Mapping[str, Any], answer_id: str) -> Iterator[AssistantPart]:
    for piece in loose.mappings(message.get("content")):
        if thoughts := loose.text(piece.get("thinking")):
            yield Thinking(thoughts, THINKING)
        if text := loose.text(piece.get("text")):
            yield Text(text)
    if plan := loose.text(message.get("tool_plan")):
        yield Thinking(plan, PLAN)
    for index, call in enumerate(loose.mappings(message.get("tool_calls"))):
        yield tool_call(call, answer_id, index)


def tool_call(call: Mapping[str, Any], answer_id: str, index: int) -> ToolCall:
    """A call without an id gets one made of the answer's, the same each time the answer is read."""
    function = loose.mapping(call.get("function"))
    call_id = loose.text(call.get("id")) or f"call_{answer_id}_{index}"
    return ToolCall(call_id, loose.text(function.get("name")), loose.text(function.get("arguments")))
