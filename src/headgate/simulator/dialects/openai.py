"""What OpenAI's endpoints have in common: the bearer credential, errors, usage."""

from collections.abc import Mapping
from typing import Any, ClassVar

from headgate.base import usage as meters
from headgate.simulator import tokens
from headgate.simulator.answer import Counts
from headgate.simulator.ask import Json, Prefix, ProviderError, Tool
from headgate.simulator.dialects.base import Headers, bearer, data_event, input_total, output_total, to_json

DONE = b"data: [DONE]\n\n"
_KINDS = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
    529: ("server_error", "overloaded"),
}


class OpenAI:
    """The base of the OpenAI dialects."""

    bills_cache_writes: ClassVar[bool] = False
    reports_reasoning: ClassVar[bool] = True
    stream_type: ClassVar[str] = "text/event-stream; charset=utf-8"

    def credential(self, headers: Headers, query: Mapping[str, str]) -> str | None:
        return bearer(headers)

    def error(self, error: ProviderError) -> bytes:
        kind, code = _KINDS.get(error.status, ("server_error", None))
        return to_json({"error": {"message": error.message, "type": kind, "param": None, "code": code}})

    def error_event(self, error: ProviderError) -> bytes:
        return data_event({"error": {"message": error.message, "type": "server_error", "param": None, "code": None}})


def usage(told: Counts | None) -> Json | None:
    """OpenAI's overlapping figures: the prompt contains what was cached, the completion what was reasoned."""
    if told is None:
        return None
    prompt, completion = input_total(told), output_total(told)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": told.get(meters.CACHE_READ, 0), "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": told.get(meters.REASONING, 0),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def prefix(body: Json, conversation: list[Any], *rest: Any) -> Prefix | None:
    """With a `prompt_cache_key`, all but the last message is a prefix worth caching."""
    key = body.get("prompt_cache_key")
    if not isinstance(key, str) or not key:
        return None
    begin = [*rest, *conversation[:-1]]
    return Prefix(f"{key}\n{to_json(begin).decode()}", tokens.prompt(begin))


def tool(declared: Any) -> Tool | None:
    """A function tool of the chat shape (`function` inside) or of the Responses shape (flat); None for any other."""
    if not isinstance(declared, dict) or declared.get("type") != "function":
        return None
    function = declared.get("function", declared)
    return Tool(str(function.get("name", "")), function.get("parameters") or {})


def tools(body: Json) -> tuple[Tool, ...]:
    return tuple(found for declared in body.get("tools") or () if (found := tool(declared)) is not None)


def tool_choice(body: Json) -> str:
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, dict):
        return str(choice.get("function", choice).get("name", "auto"))
    return str(choice)
