"""Usage of a response: its tokens, and the hosted tools that are billed by the call."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from headgate.base import usage as meters
from headgate.base.usage import Usage
from headgate.wire.openai_chat import usage as openai_chat
from headgate.wire.openai_chat.usage import Words
from headgate.wire.openai_chat.usual_usage import ResponsesUsage

RESPONSES: Final = Words(
    "input_tokens",
    "output_tokens",
    "input_tokens_details",
    "output_tokens_details",
    msgspec.json.Decoder(ResponsesUsage).decode,
)

_BILLED_BY_CALL: Final = {
    "web_search_call": meters.WEB_SEARCH,
    "file_search_call": "tool:file_search",
    "code_interpreter_call": "tool:code_interpreter",
    "image_generation_call": "tool:image_generation",
}
_PAGE_VIEWS: Final = ("open_page", "find_in_page", "find")
"""Actions of a web search that look at what was found; OpenAI bills the searches only."""


def read_usage(
    usage: bytes | Mapping[str, Any] | None, items: Iterable[tuple[str, str]] = (), *, terms: object = None
) -> Usage | None:
    """`items` are (type, type of its action) of what the response put out. None if there is no usage object."""
    tokens = openai_chat.read_usage(usage, RESPONSES, terms=terms)
    if tokens is None:
        return None
    counts = dict(tokens.counts)
    for kind, action in items:
        meter = _BILLED_BY_CALL.get(kind)
        if meter is not None and action not in _PAGE_VIEWS:
            counts[meter] = counts.get(meter, 0) + 1
    return replace(tokens, counts=counts)
