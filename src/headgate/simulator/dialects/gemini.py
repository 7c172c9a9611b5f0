"""Gemini: `POST /models/{model}:generateContent`, `:streamGenerateContent` (a JSON array, or SSE with `alt=sse`)."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from headgate.base import usage as meters
from headgate.simulator import tokens
from headgate.simulator.answer import Counts
from headgate.simulator.ask import Ask, Json, ProviderError, Tool, last_text, optional_int, required
from headgate.simulator.dialects.base import Frame, Headers, Reply, data_event, input_total, spoken, to_json

_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool": "STOP"}
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    529: "UNAVAILABLE",
}


class Gemini:
    """One call, plain or as server-sent events."""

    name: ClassVar[str] = "gemini"
    bills_cache_writes: ClassVar[bool] = False
    reports_reasoning: ClassVar[bool] = True
    stream_type: ClassVar[str] = "text/event-stream"

    def credential(self, headers: Headers, query: Mapping[str, str]) -> str | None:
        return headers.get("x-goog-api-key") or query.get("key") or None

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        model, _, method = target.partition(":")
        contents = required(body, "contents", list)
        if not contents or not all(isinstance(content, dict) for content in contents):
            raise ProviderError(400, "* GenerateContentRequest.contents: contents is not specified")
        said = [content for content in contents if content.get("role", "user") == "user"]
        config = body.get("generationConfig") or {}
        mode = ((body.get("toolConfig") or {}).get("functionCallingConfig") or {}).get("mode", "AUTO")
        last = contents[-1].get("parts") or []
        thinking = config.get("thinkingConfig") or {}
        schema = config.get("responseJsonSchema") or config.get("responseSchema") or {}
        return Ask(
            model=model,
            text=last_text(content.get("parts") for content in said),
            input_tokens=max(1, tokens.prompt(contents, body.get("systemInstruction"), body.get("tools"), schema)),
            stream=method == "streamGenerateContent",
            limit=optional_int(config, "maxOutputTokens"),
            choices=optional_int(config, "candidateCount") or 1,
            tools=_tools(body),
            tool_choice={"ANY": "required", "NONE": "none"}.get(mode, "auto"),
            answered_tool=any("functionResponse" in part for part in last),
            structured=config.get("responseMimeType") == "application/json",
            schema=schema,
            thinking=any(thinking.get(name) for name in ("includeThoughts", "thinkingBudget", "thinkingLevel")),
            extras={"thoughts": bool(thinking.get("includeThoughts"))},
        )

    def plain(self, reply: Reply) -> bytes:
        return to_json(_chunk(reply, _parts(reply), _FINISH[reply.answer.finish], reply.told))

    def frames(self, reply: Reply) -> Iterator[Frame]:
        *before, ending = self._chunks(reply)
        for payload, meter, added in before:
            yield Frame(data_event(payload), meter, added)
        payload, meter, added = ending
        yield Frame(data_event(payload), meter, added, last=True)

    def error(self, error: ProviderError) -> bytes:
        return to_json(_error(error))

    def error_event(self, error: ProviderError) -> bytes:
        return data_event(_error(error))

    def _chunks(self, reply: Reply) -> Iterator[tuple[Json, str, int]]:
        """Every chunk carries the usage so far, the last one the finish reason with all of it."""
        answer, told, choices = reply.answer, reply.told, reply.ask.choices
        thought = choices * tokens.count(answer.reasoning)
        if reply.ask.extras["thoughts"]:
            for piece, added in spoken(answer.reasoning, reply.delta_bytes):
                yield _chunk(reply, [{"text": piece, "thought": True}], None, told), meters.REASONING, choices * added
            thought = 0
        made = 0
        for piece, added in spoken(answer.text, reply.delta_bytes):
            made += choices * added
            so_far = None if told is None else {**told, meters.OUTPUT: made}
            yield _chunk(reply, [{"text": piece}], None, so_far), meters.OUTPUT, choices * added
        for call in answer.calls:
            part = {"functionCall": {"name": call.name, "args": msgspec.json.decode(call.arguments)}}
            yield _chunk(reply, [part], None, told), meters.OUTPUT, choices * call.tokens
        # Thoughts that nobody sees come with the last chunk.
        yield _chunk(reply, [{"text": ""}], _FINISH[answer.finish], told), meters.REASONING, thought


class GeminiArray(Gemini):
    """The same stream as one JSON array, which `:streamGenerateContent` sends without `alt=sse`."""

    name: ClassVar[str] = "gemini_array"
    stream_type: ClassVar[str] = "application/json; charset=UTF-8"

    def frames(self, reply: Reply) -> Iterator[Frame]:
        before = b"["
        for payload, meter, added in self._chunks(reply):
            yield Frame(before + to_json(payload), meter, added)
            before = b",\r\n"
        yield Frame(b"]", last=True)

    def error_event(self, error: ProviderError) -> bytes:
        return b",\r\n" + to_json(_error(error)) + b"]"


def _error(error: ProviderError) -> Json:
    status = _STATUS.get(error.status, "INTERNAL")
    return {"error": {"code": error.status, "message": error.message, "status": status}}


def _tools(body: Json) -> tuple[Tool, ...]:
    groups = [tool for tool in body.get("tools") or () if isinstance(tool, dict)]
    declared = [function for tool in groups for function in tool.get("functionDeclarations") or ()]
    return tuple(
        Tool(str(each.get("name", "")), each.get("parametersJsonSchema") or each.get("parameters") or {})
        for each in declared
    )


def _parts(reply: Reply) -> list[Json]:
    answer = reply.answer
    parts: list[Json] = []
    if answer.reasoning and reply.ask.extras["thoughts"]:
        parts.append({"text": answer.reasoning, "thought": True})
    parts.extend(
        {"functionCall": {"name": call.name, "args": msgspec.json.decode(call.arguments)}} for call in answer.calls
    )
    if answer.text:
        parts.append({"text": answer.text})
    return parts


def _chunk(reply: Reply, parts: list[Json], finish: str | None, told: Counts | None) -> Json:
    candidates: list[dict[str, Any]] = []
    for index in range(reply.ask.choices):
        candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": index}
        if finish:
            candidate["finishReason"] = finish
        candidates.append(candidate)
    chunk: Json = {"candidates": candidates, "modelVersion": reply.ask.model, "responseId": reply.id}
    if told is not None:
        chunk["usageMetadata"] = _usage(told)
    return chunk


def _usage(told: Counts) -> Json:
    given, made, thought = input_total(told), told.get(meters.OUTPUT, 0), told.get(meters.REASONING, 0)
    usage: Json = {
        "promptTokenCount": given,
        "candidatesTokenCount": made,
        "totalTokenCount": given + made + thought,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": given}],
    }
    if thought:
        usage["thoughtsTokenCount"] = thought
    if cached := told.get(meters.CACHE_READ, 0):
        usage["cachedContentTokenCount"] = cached
    return usage
