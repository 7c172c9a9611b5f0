"""Anthropic messages: `POST /messages` and `POST /messages/count_tokens`."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from headgate.base import usage as meters
from headgate.simulator import tokens
from headgate.simulator.answer import Counts
from headgate.simulator.ask import Ask, Json, Prefix, ProviderError, Tool, last_text, optional_int, required
from headgate.simulator.dialects.base import Frame, Headers, Reply, bearer, named_event, output_total, spoken, to_json

_FINISH = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use"}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Anthropic:
    """What both endpoints share."""

    bills_cache_writes: ClassVar[bool] = True
    reports_reasoning: ClassVar[bool] = False
    stream_type: ClassVar[str] = "text/event-stream; charset=utf-8"

    def credential(self, headers: Headers, query: Mapping[str, str]) -> str | None:
        return headers.get("x-api-key") or bearer(headers)

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        if "anthropic-version" not in headers:
            raise ProviderError(400, "anthropic-version: header is required")
        messages = required(body, "messages", list)
        if not messages or not all(isinstance(message, dict) for message in messages):
            raise ProviderError(400, "messages: at least one message is required")
        said = [message for message in messages if message.get("role") == "user"]
        last = messages[-1].get("content")
        shape = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
        return Ask(
            model=required(body, "model", str),
            text=last_text(message.get("content") for message in said),
            input_tokens=max(1, tokens.prompt(messages, body.get("system"), body.get("tools"), shape)),
            stream=bool(body.get("stream")),
            limit=optional_int(body, "max_tokens"),
            tools=_tools(body),
            tool_choice=_tool_choice(body.get("tool_choice") or {}),
            answered_tool=isinstance(last, list) and any(part.get("type") == "tool_result" for part in last),
            structured=shape.get("type") == "json_schema",
            schema=shape.get("schema", {}),
            thinking=(body.get("thinking") or {}).get("type") in ("enabled", "adaptive"),
            prefix=_prefix(body),
        )

    def error(self, error: ProviderError) -> bytes:
        return to_json({"type": "error", **_error(error), "request_id": "req_sim"})

    def error_event(self, error: ProviderError) -> bytes:
        return named_event("error", _error(error))


class Messages(Anthropic):
    name: ClassVar[str] = "anthropic_messages"

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        ask = super().ask(body, headers, target)
        if ask.limit is None:
            raise ProviderError(400, "max_tokens: Field required")
        return ask

    def plain(self, reply: Reply) -> bytes:
        body = {**_message(reply), "content": _blocks(reply), "stop_reason": _FINISH[reply.answer.finish]}
        if reply.told is not None:
            body["usage"] = _usage(reply.told, output_total(reply.told))
        return to_json(body)

    def frames(self, reply: Reply) -> Iterator[Frame]:
        start = _message(reply)
        if reply.told is not None:
            start["usage"] = _usage(reply.told, 1)
        yield Frame(named_event("message_start", {"message": start}))
        yield Frame(named_event("ping", {}))
        for index, block in enumerate(_blocks(reply)):
            yield from _block_events(block, index, reply.delta_bytes)
        delta: Json = {"delta": {"stop_reason": _FINISH[reply.answer.finish], "stop_sequence": None}}
        if reply.told is not None:
            delta["usage"] = {"output_tokens": output_total(reply.told)}
        yield Frame(named_event("message_delta", delta))
        yield Frame(named_event("message_stop", {}), last=True)


class CountTokens(Anthropic):
    """Counting is free: it is never billed."""

    name: ClassVar[str] = "anthropic_count_tokens"

    def plain(self, reply: Reply) -> bytes:
        return to_json({"input_tokens": reply.ask.input_tokens})

    def frames(self, reply: Reply) -> Iterator[Frame]:
        """Never streamed: one frame."""
        yield Frame(self.plain(reply), last=True)


def _error(error: ProviderError) -> Json:
    return {"error": {"type": _KINDS.get(error.status, "api_error"), "message": error.message}}


def _tools(body: Json) -> tuple[Tool, ...]:
    declared = [tool for tool in body.get("tools") or () if isinstance(tool, dict) and "input_schema" in tool]
    return tuple(Tool(str(tool.get("name", "")), tool["input_schema"]) for tool in declared)


def _tool_choice(choice: Json) -> str:
    match choice.get("type", "auto"):
        case "any":
            return "required"
        case "tool":
            return str(choice.get("name"))
        case kind:
            return str(kind)


def _prefix(body: Json) -> Prefix | None:
    """All blocks up to the last one that carries `cache_control`, in the order tools, system, messages."""
    blocks: list[Any] = list(body.get("tools") or ())
    system = body.get("system") or []
    blocks.extend([system] if isinstance(system, str) else system)
    for message in body["messages"]:
        content = message.get("content")
        blocks.extend(content if isinstance(content, list) else [content])
    marked = [at for at, block in enumerate(blocks) if isinstance(block, dict) and block.get("cache_control")]
    if not marked:
        return None
    covered = blocks[: marked[-1] + 1]
    hour = covered[-1]["cache_control"].get("ttl") == "1h"
    return Prefix(to_json(covered).decode(), tokens.prompt(covered), hour)


def _usage(told: Counts, output: int) -> Json:
    short, hour = told.get(meters.CACHE_WRITE, 0), told.get(meters.CACHE_WRITE_1H, 0)
    return {
        "input_tokens": told.get(meters.INPUT, 0),
        "cache_creation_input_tokens": short + hour,
        "cache_read_input_tokens": told.get(meters.CACHE_READ, 0),
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": hour},
        "output_tokens": output,
        "service_tier": "standard",
    }


def _message(reply: Reply) -> Json:
    return {
        "model": reply.ask.model,
        "id": f"msg_{reply.id}",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _blocks(reply: Reply) -> list[Json]:
    blocks: list[Json] = []
    if reply.answer.reasoning:
        blocks.append({"type": "thinking", "thinking": reply.answer.reasoning, "signature": "c2lt"})
    for index, call in enumerate(reply.answer.calls):
        given = msgspec.json.decode(call.arguments)
        blocks.append({"type": "tool_use", "id": f"toolu_{reply.id}_{index}", "name": call.name, "input": given})
    if reply.answer.text:
        blocks.append({"type": "text", "text": reply.answer.text})
    return blocks


def _block_events(block: Json, index: int, delta_bytes: int) -> Iterator[Frame]:
    def delta(value: Json) -> bytes:
        return named_event("content_block_delta", {"index": index, "delta": value})

    def start(value: Json) -> bytes:
        return named_event("content_block_start", {"index": index, "content_block": value})

    match block["type"]:
        case "thinking":
            yield Frame(start({"type": "thinking", "thinking": "", "signature": ""}))
            for piece, added in spoken(block["thinking"], delta_bytes):
                yield Frame(delta({"type": "thinking_delta", "thinking": piece}), meters.OUTPUT, added)
            yield Frame(delta({"type": "signature_delta", "signature": block["signature"]}))
        case "tool_use":
            yield Frame(start({**block, "input": {}}), meters.OUTPUT, tokens.count(block["name"]))
            for piece, added in spoken(to_json(block["input"]).decode(), delta_bytes):
                yield Frame(delta({"type": "input_json_delta", "partial_json": piece}), meters.OUTPUT, added)
        case _:
            yield Frame(start({"type": "text", "text": ""}))
            for piece, added in spoken(block["text"], delta_bytes):
                yield Frame(delta({"type": "text_delta", "text": piece}), meters.OUTPUT, added)
    yield Frame(named_event("content_block_stop", {"index": index}))
