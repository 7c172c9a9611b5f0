"""Counts out of objects that may lie."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.base.usage import Usage
from headgate.wire.anthropic_messages import usage as anthropic
from headgate.wire.figures import MAX_COUNT, Figures, usage_object
from headgate.wire.gemini import usage as gemini
from headgate.wire.openai_chat import usage as chat
from headgate.wire.openai_responses import usage as responses


@pytest.mark.parametrize(
    ("value", "count", "flags"),
    [
        (7, 7, []),
        (None, 0, []),
        (-3, 0, ["negative:n"]),
        (2.5, 3, ["float:n"]),
        (2.0, 2, ["float:n"]),
        ("12", 12, ["string:n"]),
        ("twelve", 0, ["type:n"]),
        ("nan", 0, ["string:n"]),
        (True, 0, ["type:n"]),
        ([1], 0, ["type:n"]),
        (2**60, MAX_COUNT, ["huge:n"]),
        (1e300, MAX_COUNT, ["float:n", "huge:n"]),
        ("1e999", MAX_COUNT, ["string:n", "huge:n"]),
        (float("inf"), MAX_COUNT, ["float:n", "huge:n"]),
    ],
)
def test_counts_are_sane(value: object, count: int, flags: list[str]) -> None:
    """Whatever it is, the count is one that can be billed, and what was mended is flagged."""
    figures = Figures({"n": value})
    assert figures.count("n") == count
    assert list(figures.flags) == flags


def test_a_portion_never_exceeds_its_whole() -> None:
    """More cached than sent is a lie."""
    figures = Figures({"cached": 12})
    assert figures.portion("cached", 10) == 10
    assert list(figures.flags) == ["exceeds:cached"]


@pytest.mark.parametrize("usage", [None, b"", b"null", b"[]", b"{", b"\xff", b"7", b"[" * 100_000])
def test_what_is_no_object_is_no_usage(usage: bytes | None) -> None:
    """Never an error: the call is then settled by what was delivered."""
    assert usage_object(usage) is None
    for read in (chat.read_usage, responses.read_usage, anthropic.read_usage, gemini.read_usage):
        assert read(usage) is None


lies = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["9", "-1", "1e99"]),
    lambda inner: st.lists(inner, max_size=2),
)
figure_names = st.sampled_from(
    [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "input_tokens",
        "output_tokens",
        "cached_tokens",
        "audio_tokens",
        "reasoning_tokens",
        "image_tokens",
        "cache_write_tokens",
        "prompt_cache_hit_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "ephemeral_5m_input_tokens",
        "ephemeral_1h_input_tokens",
        "thinking_tokens",
        "web_search_requests",
        "promptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "totalTokenCount",
        "cachedContentTokenCount",
        "toolUsePromptTokenCount",
        "tokenCount",
    ]
)
groups = st.sampled_from(
    [
        "prompt_tokens_details",
        "completion_tokens_details",
        "input_tokens_details",
        "output_tokens_details",
        "cache_creation",
        "server_tool_use",
        "promptTokensDetails",
        "cacheTokensDetails",
        "candidatesTokensDetails",
        "iterations",
    ]
)
inner_objects = st.dictionaries(figure_names, lies, max_size=4) | st.fixed_dictionaries(
    {"modality": st.sampled_from(["AUDIO", "IMAGE", "TEXT"]), "tokenCount": lies, "type": st.just("compaction")}
)
usages = st.builds(
    lambda flat, nested: {**flat, **nested},
    st.dictionaries(figure_names, lies, max_size=6),
    st.dictionaries(groups, lies | inner_objects | st.lists(inner_objects, max_size=3), max_size=4),
)


@given(usages)
def test_no_lie_gets_through(usage: dict[str, Any]) -> None:
    """Whatever a provider claims, every reader answers with counts that are whole, not negative and bounded."""
    running = anthropic.RunningUsage()
    reports = (
        chat.read_usage(usage),
        responses.read_usage(usage, [("web_search_call", "search")]),
        anthropic.read_usage(usage),
        running.add(usage),
        gemini.read_usage(usage),
    )
    for report in reports:
        assert report is None or sane(report)


def sane(usage: Usage) -> bool:
    return all(type(count) is int and 0 <= count <= 20 * MAX_COUNT for count in usage.counts.values())
