"""A mix of calls as customers send them: every format, plain and streamed, to providers that do well and badly."""

from dataclasses import dataclass
from random import Random
from typing import Any, Final

GOOD: Final = ("sim-fast", "sim-fast", "sim-fast", "sim-slow", "sim-reasoning", "sim-tools", "sim-no-usage")
BAD: Final = ("sim-500", "sim-429", "sim-cut-mid-stream", "sim-error-mid-stream", "sim-no-done", "sim-bad-json")
PROVIDERS: Final = ("openai", "anthropic", "gemini")
TOOL: Final = {"name": "look_up", "description": "Look it up.", "parameters": {"type": "object", "properties": {}}}


@dataclass(frozen=True, slots=True)
class Request:
    """`limit` is the output limit the client set, if it set one."""

    path: str
    body: dict[str, Any]
    limit: int | None = None

    @property
    def stream(self) -> bool:
        return bool(self.body.get("stream"))


def a_config(random: Random) -> dict[str, Any]:
    """What the call asks for, and then others, one of them or one after the other; some are tried again."""
    others = [f"@{random.choice(PROVIDERS)}/{random.choice(GOOD + BAD)}" for _ in range(random.randrange(1, 4))]
    targets = [{}, *({"override_params": {"model": each}} for each in others)]
    strategy = {"mode": random.choice(("fallback", "fallback", "loadbalance"))}
    return {"strategy": strategy, "targets": targets, "retry": {"attempts": random.choice((0, 0, 2))}}


def a_request(random: Random, *, bad: float = 0.15, longest: int = 60) -> Request:
    """One call. `bad` is the share that goes to a model which fails; answers have at most `longest` tokens, most of
    them far fewer than their limit."""
    model = random.choice(BAD if random.random() < bad else GOOD)
    provider = random.choice(PROVIDERS)
    text = f"Say {random.randrange(1, longest + 1)} tokens, please."
    limit = random.choice((None, longest, longest * 4))
    stream = {"stream": True} if random.random() < 0.5 else {}
    match random.choice(("chat", "chat", "chat", "messages", "responses", "completions", "embeddings", "count")):
        case "messages":
            return _messages(random.choice(("anthropic", provider)), model, text, limit or longest, stream)
        case "responses":
            limits = {} if limit is None else {"max_output_tokens": limit}
            return Request("/v1/responses", {"model": f"@openai/{model}", "input": text, **limits, **stream}, limit)
        case "completions":
            limits = {} if limit is None else {"max_tokens": limit}
            return Request("/v1/completions", {"model": f"@openai/{model}", "prompt": text, **limits, **stream}, limit)
        case "embeddings":
            return Request("/v1/embeddings", {"model": "@openai/sim-embed", "input": [text, "and more"]})
        case "count":
            body = {"model": "@anthropic/sim-fast", "messages": [{"role": "user", "content": text}]}
            return Request("/v1/messages/count_tokens", body)
        case _:
            return _chat(provider, model, text, limit, stream, asks_usage=random.random() < 0.5)


def _chat(
    provider: str, model: str, text: str, limit: int | None, stream: dict[str, Any], *, asks_usage: bool
) -> Request:
    body: dict[str, Any] = {"model": f"@{provider}/{model}", "messages": [{"role": "user", "content": text}], **stream}
    if limit is not None:
        body["max_tokens"] = limit
    if stream and asks_usage:
        body["stream_options"] = {"include_usage": True}
    if model == "sim-tools":
        body["tools"] = [{"type": "function", "function": TOOL}]
    return Request("/v1/chat/completions", body, limit)


def _messages(provider: str, model: str, text: str, limit: int, stream: dict[str, Any]) -> Request:
    messages = [{"role": "user", "content": text}]
    body = {"model": f"@{provider}/{model}", "max_tokens": limit, "messages": messages, **stream}
    return Request("/v1/messages", body, limit)
