"""OpenAI chat completions: `POST /chat/completions`."""

from collections.abc import Iterator
from typing import Any, ClassVar

from headgate.base import usage as meters
from headgate.simulator import tokens
from headgate.simulator.ask import Ask, Json, ProviderError, last_text, optional_int, required
from headgate.simulator.dialects import openai
from headgate.simulator.dialects.base import Frame, Headers, Reply, data_event, spoken, to_json

_FINISH = {"stop": "stop", "length": "length", "tool": "tool_calls"}


class Chat(openai.OpenAI):
    name: ClassVar[str] = "openai_chat"

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        messages = required(body, "messages", list)
        if not messages or not all(isinstance(message, dict) for message in messages):
            raise ProviderError(400, "Invalid 'messages': expected a list of at least one object.")
        said = [message for message in messages if message.get("role") == "user"]
        shape = body.get("response_format") or {}
        options = body.get("stream_options") or {}
        return Ask(
            model=required(body, "model", str),
            text=last_text(message.get("content") for message in said),
            input_tokens=max(1, tokens.prompt(messages, body.get("tools"), shape)),
            stream=bool(body.get("stream")),
            limit=optional_int(body, "max_completion_tokens", "max_tokens"),
            choices=optional_int(body, "n") or 1,
            tools=openai.tools(body),
            tool_choice=openai.tool_choice(body),
            answered_tool=messages[-1].get("role") == "tool",
            structured=shape.get("type") in ("json_schema", "json_object"),
            schema=shape.get("json_schema", {}).get("schema", {}),
            thinking=body.get("reasoning_effort") not in (None, "none"),
            prefix=openai.prefix(body, messages, body.get("tools")),
            tells_usage=bool(options.get("include_usage")),
        )

    def plain(self, reply: Reply) -> bytes:
        answer = reply.answer
        message: Json = {"role": "assistant", "content": None if answer.calls else answer.text, "refusal": None}
        if answer.calls:
            message["tool_calls"] = [_call(reply, index) for index in range(len(answer.calls))]
        choices = [
            {"index": index, "message": message, "logprobs": None, "finish_reason": _FINISH[answer.finish]}
            for index in range(reply.ask.choices)
        ]
        body = {**_head(reply, "chat.completion"), "choices": choices}
        if reply.told is not None:
            body["usage"] = openai.usage(reply.told)
        return to_json(body)

    def frames(self, reply: Reply) -> Iterator[Frame]:
        for index in range(reply.ask.choices):
            yield from _choice(reply, index)
        if reply.ask.tells_usage and reply.told is not None:
            yield Frame(data_event({**_head(reply, _CHUNK), "choices": [], "usage": openai.usage(reply.told)}))
        yield Frame(openai.DONE, last=True)


_CHUNK = "chat.completion.chunk"


def _head(reply: Reply, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": kind,
        "created": reply.created,
        "model": reply.ask.model,
        "service_tier": "default",
        "system_fingerprint": "fp_headgate",
    }


def _call(reply: Reply, index: int) -> Json:
    call = reply.answer.calls[index]
    return {
        "id": f"call_{reply.id}_{index}",
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _choice(reply: Reply, index: int) -> Iterator[Frame]:
    head = _head(reply, _CHUNK)
    if reply.ask.tells_usage:
        head["usage"] = None

    def chunk(delta: Json, finish: str | None = None) -> bytes:
        choice: dict[str, Any] = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return data_event({**head, "choices": [choice]})

    answer = reply.answer
    # OpenAI bills reasoning and does not show it: the first chunk comes after it.
    thought = tokens.count(answer.reasoning)
    opening = {"role": "assistant", "content": None if answer.calls else "", "refusal": None}
    yield Frame(chunk(opening), meters.REASONING, thought)
    for piece, added in spoken(answer.text, reply.delta_bytes):
        yield Frame(chunk({"content": piece}), meters.OUTPUT, added)
    for number, call in enumerate(answer.calls):
        begun = {"index": number, **_call(reply, number)}
        begun["function"] = {"name": call.name, "arguments": ""}
        yield Frame(chunk({"tool_calls": [begun]}), meters.OUTPUT, tokens.count(call.name))
        for piece, added in spoken(call.arguments, reply.delta_bytes):
            grown = {"index": number, "function": {"arguments": piece}}
            yield Frame(chunk({"tool_calls": [grown]}), meters.OUTPUT, added)
    yield Frame(chunk({}, _FINISH[answer.finish]))
