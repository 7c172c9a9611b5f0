"""What each step of a call between two sides of the same format costs: `python -m bench wire`.

Wall time of one step, the best of many thousands: on a shared machine the others are its neighbours.
"""

import json
import time
from collections.abc import Callable
from typing import Final

from bench.rig import save, table
from headgate.wire.dialogue import Dialogue
from headgate.wire.document import Document
from headgate.wire.registry import FORMATS, open_dialogue

TIMES: Final = 20_000
NAME: Final = "openai_chat"
MODEL: Final = "gpt-4o-2024-08-06"
REQUEST: Final = {
    "model": "@openai-prod/gpt-4o",
    "messages": [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "Say something about foxes and dogs. " * 24},
    ],
    "max_tokens": 256,
    "temperature": 0.7,
}
USAGE: Final = {
    "prompt_tokens": 206,
    "completion_tokens": 120,
    "total_tokens": 326,
    "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
MESSAGE: Final[dict[str, object]] = {
    "role": "assistant",
    "content": "The quick brown fox. " * 12,
    "refusal": None,
    "annotations": [],
}
ANSWER: Final = {
    "id": "chatcmpl-C8n1mYvGJqOeJ1xbcuLrkQ3aZs7Pd",
    "object": "chat.completion",
    "created": 1_767_268_800,
    "model": MODEL,
    "choices": [{"index": 0, "message": MESSAGE, "logprobs": None, "finish_reason": "stop"}],
    "usage": USAGE,
    "service_tier": "default",
    "system_fingerprint": "fp_0123456789",
}
OPENAI: Final = (
    b'data: {"id":"chatcmpl-C8n1mYvGJqOeJ1xbcuLrkQ3aZs7Pd","object":"chat.completion.chunk","created":1767268800,'
    b'"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_0123456789","choices":[{"index":0,'
    b'"delta":{"content":" foxes"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"1a2b3c"}\n\n'
)
ANTHROPIC: Final = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" foxes"}}\n\n'
)
RESPONSES: Final = (
    b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta","sequence_number":7,"item_id":"msg_0123456789abcdef","output_index":0,'
    b'"content_index":0,"delta":" foxes","logprobs":[],"obfuscation":"1a2b3c"}\n\n'
)


def run() -> None:
    """The table of `python -m bench wire`."""
    steps = {**_request_steps(), **_answer_steps(), **_event_steps()}
    costs = {name: best(step) for name, step in steps.items()}
    rows = [(name, f"{us:.2f} µs") for name, us in costs.items()]
    table("Same format on both sides: the best time of each step", rows, ("step", "cost"))
    save("wire", {"us": costs})


def best(step: Callable[[], object]) -> float:
    """Microseconds of the step alone, without the clock's own."""
    return (_least(step) - _least(lambda: None)) / 1_000


def _least(step: Callable[[], object]) -> int:
    clock, least = time.perf_counter_ns, 1_000_000_000
    for _ in range(TIMES):
        begun = clock()
        step()
        least = min(least, clock() - begun)
    return least


def _request_steps() -> dict[str, Callable[[], object]]:
    compact, spaced = json.dumps(REQUEST, separators=(",", ":")).encode(), json.dumps(REQUEST).encode()
    document, loose, language = Document(compact), Document(spaced), FORMATS[NAME]
    head = language.head(document)
    attempt = open_dialogue(NAME, NAME, document, head, MODEL)
    of_loose = open_dialogue(NAME, NAME, loose, head, MODEL)
    return {
        "Document, 1 kB, compact": lambda: Document(compact),
        "Document, 1 kB, spaced": lambda: Document(spaced),
        "head": lambda: language.head(document),
        "open_dialogue": lambda: open_dialogue(NAME, NAME, document, head, MODEL),
        "request, another model, compact": attempt.request,
        "request, another model, spaced": of_loose.request,
    }


def _answer_steps() -> dict[str, Callable[[], object]]:
    attempt = _opened(NAME)
    body = json.dumps(ANSWER, separators=(",", ":")).encode()
    return {f"answer of {len(body)} bytes, with usage": lambda: attempt.answer(200, body)}


def _event_steps() -> dict[str, Callable[[], object]]:
    chunks = (("openai_chat", OPENAI), ("anthropic_messages", ANTHROPIC), ("openai_responses", RESPONSES))
    steps = {f"feed, one {name} event": _feeding(_opened(name), chunk) for name, chunk in chunks}
    steps["feed, ten openai_chat events at once"] = _feeding(_opened(NAME), OPENAI * 10)
    return steps


def _feeding(attempt: Dialogue, data: bytes) -> Callable[[], object]:
    attempt.feed(data)
    return lambda: attempt.feed(data)


def _opened(name: str) -> Dialogue:
    document = Document(json.dumps({**REQUEST, "stream": True}).encode())
    return open_dialogue(name, name, document, FORMATS[name].head(document), MODEL)
