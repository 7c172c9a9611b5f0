"""Anthropic's `usage`: input, cache reads and cache writes are disjoint already; output contains the thinking.

Source: Anthropic's API reference for messages, prompt caching, streaming and compaction. In a stream the usage of
`message_delta` is cumulative and replaces what `message_start` said, field by field.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from headgate.base import usage as meters
from headgate.base.usage import Usage
from headgate.wire.figures import Figures, report, usage_object

_FREE_TOOLS: Final = ("web_fetch_requests", "tool_search_requests")
"""Server tools that cost nothing beyond their tokens."""


class RunningUsage:
    """The usage of one stream, as it adds up."""

    __slots__ = ("_members",)

    def __init__(self) -> None:
        self._members: dict[str, Any] = {}

    def add(self, usage: bytes | Mapping[str, Any] | None) -> Usage | None:
        """The usage so far. Nothing, zero or less in a later report never erases what an earlier one had found."""
        opened = usage_object(usage)
        if opened is not None:
            for name, value in opened[1].items():
                nothing = not value or (isinstance(value, int | float) and value < 0)
                if not nothing or name not in self._members:
                    self._members[name] = value
        return read_usage(self._members) if self._members else None

    @property
    def members(self) -> Mapping[str, Any]:
        """In Anthropic's own words."""
        return self._members


def read_usage(usage: bytes | Mapping[str, Any] | None) -> Usage | None:
    """None if there is no usage object, or one without input and output. Never raises."""
    opened = usage_object(usage)
    if opened is None:
        return None
    raw, members = opened
    figures = Figures(members)
    if "input_tokens" not in figures and "output_tokens" not in figures:
        return None
    for name in ("input_tokens", "output_tokens"):
        if name not in figures:
            figures.flags[f"missing:{name}"] = None
    counts = _tokens(figures)
    for iteration in figures.objects("iterations"):
        _add_iteration(counts, iteration)
    _add_server_tools(counts, figures.object("server_tool_use"))
    fast = "fast" if members.get("speed") == "fast" else None
    return report(counts, figures, raw, fast or members.get("service_tier"))


def _tokens(figures: Figures) -> dict[str, int]:
    output = figures.count("output_tokens")
    thinking = figures.object("output_tokens_details").portion("thinking_tokens", output)
    split = figures.object("cache_creation")
    five_minutes, one_hour = split.count("ephemeral_5m_input_tokens"), split.count("ephemeral_1h_input_tokens")
    # The total grows while a server tool runs and the split may lag behind: the rest is of the lifetime that is in use.
    rest = max(0, figures.count("cache_creation_input_tokens") - five_minutes - one_hour)
    only_one_hour = one_hour > 0 and five_minutes == 0
    return {
        meters.INPUT: figures.count("input_tokens"),
        meters.CACHE_READ: figures.count("cache_read_input_tokens"),
        meters.CACHE_WRITE: five_minutes + (0 if only_one_hour else rest),
        meters.CACHE_WRITE_1H: one_hour + (rest if only_one_hour else 0),
        meters.OUTPUT: output - thinking,
        meters.REASONING: thinking,
    }


def _add_iteration(counts: dict[str, int], iteration: Figures) -> None:
    """The totals leave out what was spent on compaction, and on an adviser, which is another model at another price."""
    match iteration.text("type"):
        case "compaction":
            for meter, count in _tokens(iteration).items():
                counts[meter] += count
            iteration.flags["outside:compaction"] = None
        case "advisor_message":
            tokens = _tokens(iteration)
            for name, kinds in (("input", meters.INPUT_METERS), ("output", meters.OUTPUT_METERS)):
                meter = f"tool:advisor_{name}"
                counts[meter] = counts.get(meter, 0) + sum(tokens.get(kind, 0) for kind in kinds)


def _add_server_tools(counts: dict[str, int], tools: Figures) -> None:
    for name in tools.names():
        if name.endswith("_requests") and name not in _FREE_TOOLS:
            tool = name.removesuffix("_requests")
            counts[meters.WEB_SEARCH if tool == "web_search" else f"tool:{tool}"] = tools.count(name)


def usage_json(members: Mapping[str, Any]) -> bytes:
    """The `usage` of a `message_delta`: `output_tokens` is always there."""
    return msgspec.json.encode({"output_tokens": 0, **members})
