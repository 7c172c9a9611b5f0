"""OpenAI Responses: `POST /responses`."""

from collections.abc import Iterator
from typing import Any, ClassVar

from headgate.base import usage as meters
from headgate.simulator import tokens
from headgate.simulator.answer import Call, Counts
from headgate.simulator.ask import Ask, Json, ProviderError, last_text, optional_int, required
from headgate.simulator.dialects import openai
from headgate.simulator.dialects.base import (
    Frame,
    Headers,
    Reply,
    input_total,
    named_event,
    output_total,
    spoken,
    to_json,
)


class Responses(openai.OpenAI):
    name: ClassVar[str] = "openai_responses"

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        given = required(body, "input", (str, list))
        items = [{"role": "user", "content": given}] if isinstance(given, str) else given
        said = [item for item in items if isinstance(item, dict) and item.get("role") == "user"]
        shape = (body.get("text") or {}).get("format") or {}
        effort = (body.get("reasoning") or {}).get("effort")
        return Ask(
            model=required(body, "model", str),
            text=last_text(item.get("content") for item in said),
            input_tokens=max(1, tokens.prompt(items, body.get("instructions"), body.get("tools"), shape)),
            stream=bool(body.get("stream")),
            limit=optional_int(body, "max_output_tokens"),
            tools=openai.tools(body),
            tool_choice=openai.tool_choice(body),
            answered_tool=bool(items) and items[-1].get("type") == "function_call_output",
            structured=shape.get("type") in ("json_schema", "json_object"),
            schema=shape.get("schema", {}),
            thinking=effort not in (None, "none"),
            prefix=openai.prefix(body, items, body.get("instructions"), body.get("tools")),
            extras={"limit": body.get("max_output_tokens")},
        )

    def plain(self, reply: Reply) -> bytes:
        return to_json(_response(reply, _items(reply), whole=True))

    def frames(self, reply: Reply) -> Iterator[Frame]:
        number = -1

        def event(name: str, **payload: Any) -> bytes:
            nonlocal number
            number += 1
            return named_event(name, {"sequence_number": number, **payload})

        yield Frame(event("response.created", response=_response(reply, [], whole=False)))
        yield Frame(event("response.in_progress", response=_response(reply, [], whole=False)))
        items = _items(reply)
        for at, item in enumerate(items):
            yield from _item_events(reply, item, at, event)
        ending = "response.incomplete" if reply.answer.finish == "length" else "response.completed"
        yield Frame(event(ending, response=_response(reply, items, whole=True)), last=True)

    def error_event(self, error: ProviderError) -> bytes:
        return named_event("error", {"code": "server_error", "message": error.message, "param": None})


def _usage(told: Counts | None) -> Json | None:
    if told is None:
        return None
    given, made = input_total(told), output_total(told)
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": told.get(meters.CACHE_READ, 0)},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": told.get(meters.REASONING, 0)},
        "total_tokens": given + made,
    }


def _response(reply: Reply, items: list[Json], *, whole: bool) -> Json:
    cut = reply.answer.finish == "length"
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": reply.created,
        "status": "in_progress" if not whole else "incomplete" if cut else "completed",
        "background": False,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if whole and cut else None,
        "instructions": None,
        "max_output_tokens": reply.ask.extras["limit"],
        "model": reply.ask.model,
        "output": items,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": _usage(reply.told) if whole else None,
        "user": None,
        "metadata": {},
    }


def _items(reply: Reply) -> list[Json]:
    items: list[Json] = []
    if reply.answer.reasoning:
        items.append({"id": f"rs_{reply.id}", "type": "reasoning", "summary": []})
    items.extend(_call(reply, index, call) for index, call in enumerate(reply.answer.calls))
    if not reply.answer.calls:
        status = "incomplete" if reply.answer.finish == "length" else "completed"
        items.append(_message(reply, [_part(reply.answer.text)], status))
    return items


def _part(text: str) -> Json:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _message(reply: Reply, content: list[Json], status: str) -> Json:
    return {"id": f"msg_{reply.id}", "type": "message", "status": status, "content": content, "role": "assistant"}


def _call(reply: Reply, index: int, call: Call) -> Json:
    return {
        "id": f"fc_{reply.id}_{index}",
        "type": "function_call",
        "status": "completed",
        "arguments": call.arguments,
        "call_id": f"call_{reply.id}_{index}",
        "name": call.name,
    }


def _item_events(reply: Reply, item: Json, at: int, event: Any) -> Iterator[Frame]:
    """`event(name, **payload)` numbers and encodes."""
    begun = {**item, "status": "in_progress"}
    place = {"item_id": item["id"], "output_index": at}
    match item["type"]:
        case "reasoning":
            thought = tokens.count(reply.answer.reasoning)
            yield Frame(event("response.output_item.added", output_index=at, item=item), meters.REASONING, thought)
        case "function_call":
            named = tokens.count(item["name"])
            added = {**begun, "arguments": ""}
            yield Frame(event("response.output_item.added", output_index=at, item=added), meters.OUTPUT, named)
            for piece, tokens_added in spoken(item["arguments"], reply.delta_bytes):
                delta = event("response.function_call_arguments.delta", **place, delta=piece)
                yield Frame(delta, meters.OUTPUT, tokens_added)
            yield Frame(event("response.function_call_arguments.done", **place, arguments=item["arguments"]))
        case _:
            place["content_index"] = 0
            yield Frame(event("response.output_item.added", output_index=at, item={**begun, "content": []}))
            yield Frame(event("response.content_part.added", **place, part=_part("")))
            for piece, tokens_added in spoken(reply.answer.text, reply.delta_bytes):
                delta = event("response.output_text.delta", **place, delta=piece, logprobs=[])
                yield Frame(delta, meters.OUTPUT, tokens_added)
            yield Frame(event("response.output_text.done", **place, text=reply.answer.text, logprobs=[]))
            yield Frame(event("response.content_part.done", **place, part=_part(reply.answer.text)))
    yield Frame(event("response.output_item.done", output_index=at, item=item))
