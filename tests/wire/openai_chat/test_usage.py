"""Usage of OpenAI's family as disjoint meters."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.base.usage import Usage, UsageSource
from headgate.wire.openai_chat.usage import CHAT, Words, read_usage
from headgate.wire.openai_responses.usage import RESPONSES

CASES: dict[str, tuple[dict[str, Any], dict[str, int], tuple[str, ...]]] = {
    "plain": (
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        {"input": 10, "output": 5},
        (),
    ),
    "details": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {
                "cached_tokens": 60,
                "audio_tokens": 10,
                "cache_write_tokens": 5,
                "image_tokens": 4,
            },
            "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 5, "rejected_prediction_tokens": 2},
        },
        {
            "input": 21,
            "cache_read": 60,
            "cache_write": 5,
            "input_audio": 10,
            "input_image": 4,
            "output": 15,
            "reasoning": 30,
            "output_audio": 5,
        },
        (),
    ),
    "nulls": (
        {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": None, "completion_tokens_details": None},
        {"input": 10, "output": 5},
        (),
    ),
    "embeddings": ({"prompt_tokens": 4, "total_tokens": 4}, {"input": 4}, ()),
    "DeepSeek": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 5,
            "total_tokens": 105,
            "prompt_cache_hit_tokens": 64,
            "prompt_cache_miss_tokens": 36,
        },
        {"input": 36, "cache_read": 64, "output": 5},
        (),
    ),
    "DeepSeek without a total": (
        {"completion_tokens": 5, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36},
        {"input": 36, "cache_read": 64, "output": 5},
        ("missing:prompt_tokens",),
    ),
    "Moonshot": (
        {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105, "cached_tokens": 40},
        {"input": 60, "cache_read": 40, "output": 5},
        (),
    ),
    "Mistral": (
        {"prompt_tokens": 77, "completion_tokens": 12, "total_tokens": 89, "num_cached_tokens": 76},
        {"input": 77, "output": 12},
        (),
    ),
    "xAI": (
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "completion_tokens_details": {"reasoning_tokens": 94},
        },
        {"input": 32, "output": 9, "reasoning": 94},
        ("outside:completion_tokens",),
    ),
    "reasoning outside and no total": (
        {"prompt_tokens": 32, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 94}},
        {"input": 32, "output": 9, "reasoning": 94},
        (),
    ),
    "Google's compatible endpoint": (
        {"prompt_tokens": 66, "completion_tokens": 6, "total_tokens": 100},
        {"input": 66, "output": 6, "reasoning": 28},
        ("outside:completion_tokens",),
    ),
    "output missing": (
        {"prompt_tokens": 10, "total_tokens": 15},
        {"input": 10, "output": 5},
        ("missing:completion_tokens",),
    ),
    "input missing": (
        {"completion_tokens": 5, "total_tokens": 15},
        {"input": 10, "output": 5},
        ("missing:prompt_tokens",),
    ),
    "only a total": ({"total_tokens": 15}, {"input": 15}, ("missing:prompt_tokens",)),
    "more cached than sent": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 12, "audio_tokens": 3},
        },
        {"cache_read": 10, "output": 5},
        ("exceeds:cached_tokens", "exceeds:audio_tokens"),
    ),
    "more reasoning than output": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "completion_tokens_details": {"reasoning_tokens": 9},
        },
        {"input": 10, "reasoning": 5},
        ("exceeds:reasoning_tokens",),
    ),
    "negative": ({"prompt_tokens": -10, "completion_tokens": 5}, {"output": 5}, ("negative:prompt_tokens",)),
    "an absurd total": (
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 2**60},
        {"input": 10, "output": 5},
        ("huge:total_tokens",),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_meters(name: str) -> None:
    """Each provider's way of counting comes out as meters that can be summed."""
    given, counts, flags = CASES[name]
    usage = read_usage(given)
    assert usage is not None
    assert usage.counts == counts
    assert usage.flags == flags
    assert usage.source is UsageSource.PROVIDER


def test_a_report_of_nothing_is_flagged() -> None:
    """OpenAI itself has answered so; whoever settles the call decides whether to believe it."""
    usage = read_usage({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})
    assert usage is not None
    assert usage.total_tokens == 0
    assert usage.flags == ("zero:usage",)


def test_the_raw_object_is_kept() -> None:
    """As it came, spaces and unknown members included."""
    raw = b'{ "prompt_tokens": 1, "completion_tokens": 2, "cost": 0.5 }'
    assert read_usage(raw) == Usage({"input": 1, "output": 2}, raw=raw)


@pytest.mark.parametrize("usage", [{}, {"cost": 1}, {"prompt_tokens": None, "completion_tokens": None}])
def test_an_object_without_totals_is_no_usage(usage: dict[str, Any]) -> None:
    """Otherwise an empty object would make a call free."""
    assert read_usage(usage) is None


@pytest.mark.parametrize("name", CASES)
def test_meters_of_bytes(name: str) -> None:
    """The object as it comes off the wire reads like the same object decoded."""
    members, _, _ = CASES[name]
    assert read_usage(msgspec.json.encode(members)) == read_usage(members)


PARTS = ("cached_tokens", "audio_tokens", "image_tokens", "cache_write_tokens", "reasoning_tokens", "other")
figures: st.SearchStrategy[Any] = st.integers(0, 300) | st.sampled_from(
    [None, -1, 1.5, 2.0, True, "7", 10**9, 10**9 + 1, 2**60, [], {}]
)
parts = st.fixed_dictionaries({}, optional=dict.fromkeys(PARTS, figures))


@st.composite
def objects(draw: st.DrawFn) -> tuple[dict[str, Any], Words]:
    """Mostly well-formed and often consistent; any figure may be absent, null or a lie."""
    words = draw(st.sampled_from([CHAT, RESPONSES]))
    sent, answered = draw(st.integers(0, 300)), draw(st.integers(0, 300))
    usage: dict[str, Any] = {
        words.input: sent,
        words.output: answered,
        "total_tokens": sent + answered,
        words.input_details: draw(st.none() | parts),
        words.output_details: draw(st.none() | parts),
    }
    others = st.sampled_from([*usage, "prompt_cache_hit_tokens", "prompt_cache_miss_tokens", "cached_tokens", "cost"])
    usage |= draw(st.dictionaries(others, figures | parts, max_size=2))
    for name in draw(st.sets(st.sampled_from(sorted(usage)), max_size=2)):
        del usage[name]
    return usage, words


@given(objects(), st.none() | st.just("flex") | st.integers())
def test_the_short_way_finds_what_the_distrustful_one_finds(usage: tuple[dict[str, Any], Words], terms: object) -> None:
    """Bytes are tried as a usual object first. Meters, their order, flags, raw and terms are the same either way."""
    members, words = usage
    raw = msgspec.json.encode(members)
    short, long = read_usage(raw, words, terms=terms), read_usage(members, words, terms=terms)
    assert short == long
    assert short is None or long is None or list(short.counts) == list(long.counts)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_the_short_way_is_taken(sent: int, cached: int, answered: int, thought: int) -> None:
    """Where parts fit into totals; elsewhere never."""
    usage = {
        "prompt_tokens": sent,
        "completion_tokens": answered,
        "total_tokens": sent + answered,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    fits = cached <= sent and thought <= answered and sent + answered > 0
    assert (CHAT.usual(msgspec.json.encode(usage)).counts() is not None) is fits
