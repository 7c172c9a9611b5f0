"""Gemini's usage metadata as disjoint meters."""

from typing import Any

import pytest

from headgate.wire.gemini.usage import read_usage, web_searches
from tests.support.recordings import some_recordings

CASES: dict[str, tuple[dict[str, Any], dict[str, int], tuple[str, ...]]] = {
    "plain": (
        {"promptTokenCount": 27, "candidatesTokenCount": 5, "totalTokenCount": 32},
        {"input": 27, "output": 5},
        (),
    ),
    "cached, thought, tools": (
        {
            "promptTokenCount": 859,
            "cachedContentTokenCount": 594,
            "toolUsePromptTokenCount": 90,
            "candidatesTokenCount": 28,
            "thoughtsTokenCount": 131,
            "totalTokenCount": 1108,
        },
        {"input": 355, "cache_read": 594, "output": 28, "reasoning": 131},
        (),
    ),
    "modalities": (
        {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 40,
            "candidatesTokenCount": 50,
            "totalTokenCount": 150,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 30},
                {"modality": "AUDIO", "tokenCount": 50},
                {"modality": "IMAGE", "tokenCount": 20},
            ],
            "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 10}, {"modality": "AUDIO", "tokenCount": 30}],
            "candidatesTokensDetails": [
                {"modality": "IMAGE", "tokenCount": 45},
                {"modality": "AUDIO", "tokenCount": 2},
            ],
        },
        {
            "input": 20,
            "cache_read": 10,
            "cache_read_audio": 30,
            "input_audio": 20,
            "input_image": 20,
            "output": 3,
            "output_audio": 2,
            "output_image": 45,
        },
        (),
    ),
    "an early chunk": (
        {"promptTokenCount": 34, "totalTokenCount": 821, "thoughtsTokenCount": 787},
        {"input": 34, "reasoning": 787},
        (),
    ),
    "a total beyond its parts": (
        {"promptTokenCount": 34, "candidatesTokenCount": 6, "totalTokenCount": 50},
        {"input": 34, "output": 6, "reasoning": 10},
        ("outside:totalTokenCount",),
    ),
    "more cached than sent": (
        {"promptTokenCount": 10, "cachedContentTokenCount": 12, "candidatesTokenCount": 1},
        {"cache_read": 10, "output": 1},
        ("exceeds:cachedContentTokenCount",),
    ),
    "details beyond the whole": (
        {
            "promptTokenCount": 10,
            "candidatesTokenCount": 1,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 50}],
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 50}],
        },
        {"input_audio": 10, "output_audio": 1},
        (),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_meters(name: str) -> None:
    """What Google reports, each token once."""
    given, counts, flags = CASES[name]
    usage = read_usage(given)
    assert usage is not None
    assert usage.counts == counts
    assert usage.flags == flags


def test_searches_are_billed_by_generation() -> None:
    """Before Gemini 3 by the grounded prompt, from then on by the query."""
    assert web_searches("gemini-2.5-flash", 2) == 1
    assert web_searches("gemini-2.5-flash", 0) == 0
    assert web_searches("gemini-3-pro-preview", 2) == 2
    usage = read_usage({"promptTokenCount": 1, "candidatesTokenCount": 1}, web_searches=2)
    assert usage is not None
    assert usage.counts["web_search"] == 2


def test_recorded_usage_adds_up() -> None:
    """Input and output of every recorded answer are Google's own numbers, with nothing left to mend."""
    for recording in some_recordings():
        if recording.provider == "gemini" and "/openai/" not in recording.path and recording.status == 200:
            for answer in recording.answer if recording.streams else [recording.answer]:
                metadata = answer.get("usageMetadata")
                usage = read_usage(metadata)
                if metadata is None:
                    assert usage is None
                    continue
                assert usage is not None
                assert usage.flags == ()
                assert usage.input_tokens == metadata["promptTokenCount"] + metadata.get("toolUsePromptTokenCount", 0)
                assert usage.total_tokens == metadata.get("totalTokenCount", metadata["promptTokenCount"])
