"""What the customers ask: every format, plain and streamed, to every provider, and a few calls that must fail."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headgate.demo.world import CUSTOMERS, REFUSED_MODEL, Customer

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
COMPLETIONS, EMBEDDINGS = "/v1/completions", "/v1/embeddings"

_QUESTION = "How do we share the water of one canal? Answer in {} tokens."
_WEATHER = "What is the weather in both cities?"
_CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass(frozen=True, slots=True)
class Planned:
    """One call. `what` is a word or two on what is special about it."""

    customer: Customer
    path: str
    model: str
    body: dict[str, Any]
    what: str = ""

    @property
    def stream(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def payload(self) -> dict[str, Any]:
        return {"model": self.model, **self.body}


def plan() -> list[Planned]:
    """All calls of the demo, spread over the customers in turn."""
    customers = itertools.cycle(CUSTOMERS)
    return [Planned(next(customers), *call) for call in (*_ordinary(), *_special(), *_failing())]


_Call = tuple[str, str, dict[str, Any], str]


def _chat(tokens: int, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": _QUESTION.format(tokens)}], "max_tokens": 2 * tokens, **more}


def _ordinary() -> Iterator[_Call]:
    """Each chat format to each provider, plain and streamed; and what only OpenAI's dialect has."""
    for number, (provider, path, stream) in enumerate(
        itertools.product(("openai", "anthropic", "gemini"), (CHAT, MESSAGES), (False, True))
    ):
        yield path, f"@{provider}/sim-fast", _chat(40 + 10 * number, stream=stream), ""
    for stream in (False, True):
        asked = {"input": _QUESTION.format(60), "max_output_tokens": 120, "stream": stream}
        yield RESPONSES, "@openai/sim-fast", asked, ""
        yield COMPLETIONS, "@openai/sim-fast", {"prompt": "Water flows", "max_tokens": 30, "stream": stream}, ""
    yield EMBEDDINGS, "@openai/sim-embed", {"input": ["a canal", "a headgate", "a right to water"]}, ""


def _special() -> Iterator[_Call]:
    chat_tool = {"type": "function", "function": {"name": "get_weather", "parameters": _CITY}}
    tool = {"name": "get_weather", "description": "The weather in a city", "input_schema": _CITY}
    asked = [{"role": "user", "content": _WEATHER}]
    shape = {"type": "json_schema", "json_schema": {"name": "place", "schema": _CITY}}
    long_prompt = [{"type": "text", "text": "The rules of the canal. " * 40, "cache_control": {"type": "ephemeral"}}]
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PIXEL}"}}
    seen = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, picture]}]
    for provider in ("openai", "anthropic", "gemini"):
        call = {"messages": asked, "tools": [chat_tool], "max_tokens": 200}
        yield CHAT, f"@{provider}/sim-fast", {**call, "stream": provider == "gemini"}, "two tools at once"
        yield CHAT, f"@{provider}/sim-fast", {**_chat(30), "response_format": shape}, "structured"
        yield CHAT, f"@{provider}/sim-reasoning", _chat(50, stream=True), "reasoning"
        yield CHAT, f"@{provider}/sim-slow", _chat(64, stream=True), "slow"
    for provider in ("openai", "anthropic"):
        yield CHAT, f"@{provider}/sim-fast", {"messages": seen, "max_tokens": 100}, "with a picture"
    yield MESSAGES, "@openai/sim-fast", {"messages": asked, "tools": [tool], "max_tokens": 200}, "two tools at once"
    for _ in range(2):
        yield MESSAGES, "@anthropic/sim-fast", {**_chat(30), "system": long_prompt}, "prompt cache"
    yield CHAT, "@openai/sim-long", _chat(1_000, stream=True), "1,000 tokens"


def _failing() -> Iterator[_Call]:
    yield CHAT, f"@openai/{REFUSED_MODEL}", _chat(10), "not provisioned"
    yield MESSAGES, f"@anthropic/{REFUSED_MODEL}", _chat(10), "not provisioned"
    yield CHAT, "@nobody/sim-fast", _chat(10), "unknown provider"
    yield CHAT, "@openai/sim-500", _chat(10), "the provider fails"
    yield MESSAGES, "@anthropic/sim-529", _chat(10, stream=True), "the provider is overloaded"
    yield CHAT, "@gemini/sim-429", _chat(10), "the provider's own limit"
    yield CHAT, "@openai/sim-cut-mid-stream", _chat(10, stream=True), "the provider hangs up"
    yield MESSAGES, "@openai/sim-error-mid-stream", _chat(10, stream=True), "an error in mid-stream"
    yield CHAT, "@gemini/sim-no-usage", _chat(40, stream=True), "the provider says no usage"
