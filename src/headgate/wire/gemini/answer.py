"""What Gemini answers, whole or chunk by chunk: both have the same shape.

Parts that only Gemini has (code it ran, its own tools, images it drew) are passed over; the text around them is kept.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from headgate.base.errors import UpstreamFailed
from headgate.base.usage import Usage
from headgate.wire import loose
from headgate.wire.chat import Answer, AssistantPart, Stop, Text, Thinking, ToolCall, stop_of
from headgate.wire.gemini.request_writer import SIGNATURE
from headgate.wire.gemini.usage import read_usage, web_searches

STOPS: Final[Mapping[str, Stop]] = MappingProxyType(
    {
        "STOP": Stop.END,
        "MAX_TOKENS": Stop.LENGTH,
        "SAFETY": Stop.REFUSAL,
        "RECITATION": Stop.REFUSAL,
        "LANGUAGE": Stop.REFUSAL,
        "BLOCKLIST": Stop.REFUSAL,
        "PROHIBITED_CONTENT": Stop.REFUSAL,
        "SPII": Stop.REFUSAL,
        "IMAGE_SAFETY": Stop.REFUSAL,
        "IMAGE_PROHIBITED_CONTENT": Stop.REFUSAL,
        "IMAGE_RECITATION": Stop.REFUSAL,
    }
)


def read_answer(body: bytes) -> Answer:
    """The first candidate. Raises `UpstreamFailed` for what is no answer."""
    response = loose.decode_object(body)
    if error := response.get("error"):
        raise UpstreamFailed(error_message(error))
    answer_id, candidate = loose.text(response.get("responseId")), first_candidate(response)
    parts = tuple(_parts(candidate, answer_id))
    stop = stop_reason(response, candidate) or Stop.END
    return Answer(
        id=answer_id,
        model=loose.text(response.get("modelVersion")),
        parts=parts,
        stop=stop_of(stop, any(isinstance(part, ToolCall) for part in parts)),
        usage=usage_of(response, search_queries(candidate)),
    )


def first_candidate(response: Mapping[str, Any]) -> dict[str, Any]:
    return next(iter(loose.mappings(response.get("candidates"))), {})


def content_parts(candidate: Mapping[str, Any]) -> list[dict[str, Any]]:
    return loose.mappings(loose.mapping(candidate.get("content")).get("parts"))


def stop_reason(response: Mapping[str, Any], candidate: Mapping[str, Any]) -> Stop | None:
    """None while the answer goes on. A prompt that was blocked has no candidates, only the reason."""
    if loose.mapping(response.get("promptFeedback")).get("blockReason"):
        return Stop.REFUSAL
    reason = loose.text(candidate.get("finishReason"))
    return STOPS.get(reason, Stop.END) if reason and reason != "FINISH_REASON_UNSPECIFIED" else None


def usage_of(response: Mapping[str, Any], queries: int) -> Usage | None:
    """`queries` is how many searches the answer grounded itself on so far."""
    model = loose.text(response.get("modelVersion"))
    return read_usage(loose.mapping(response.get("usageMetadata")), web_searches(model, queries))


def search_queries(candidate: Mapping[str, Any]) -> int:
    queries = loose.mapping(candidate.get("groundingMetadata")).get("webSearchQueries")
    return len(queries) if isinstance(queries, list) else 0


def error_message(error: object) -> str:
    return loose.text(loose.mapping(error).get("message")) or "The provider answered with an error it did not explain."


def _parts(candidate: Mapping[str, Any], answer_id: str) -> Iterator[AssistantPart]:
    """Thinking ends where other content begins, and its signature stands on that content."""
    thoughts: list[str] = []
    calls = 0
    for part in content_parts(candidate):
        text, signature = loose.text(part.get("text")), loose.text(part.get("thoughtSignature"))
        if part.get("thought"):
            thoughts.append(text)
            continue
        if thoughts or signature:
            yield Thinking("".join(thoughts), SIGNATURE + signature)
            thoughts.clear()
        if (call := part.get("functionCall")) is not None:
            yield tool_call(loose.mapping(call), answer_id, calls)
            calls += 1
        elif text:
            yield Text(text)
    if thoughts:
        yield Thinking("".join(thoughts), SIGNATURE)


def tool_call(call: Mapping[str, Any], answer_id: str, index: int) -> ToolCall:
    """Gemini calls tools without ids, mostly: one is made of the answer's, the same each time the answer is read."""
    arguments = msgspec.json.encode(loose.mapping(call.get("args"))).decode()
    call_id = loose.text(call.get("id")) or f"call_{answer_id}_{index}"
    return ToolCall(call_id, loose.text(call.get("name")), arguments)
