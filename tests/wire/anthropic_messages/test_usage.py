"""Anthropic's usage as disjoint meters, and as it adds up in a stream."""

from typing import Any

import pytest

from headgate.wire.anthropic_messages.usage import RunningUsage, read_usage, usage_json

CASES: dict[str, tuple[dict[str, Any], dict[str, int], tuple[str, ...]]] = {
    "plain": ({"input_tokens": 10, "output_tokens": 5}, {"input": 10, "output": 5}, ()),
    "caches": (
        {
            "input_tokens": 10,
            "cache_creation_input_tokens": 300,
            "cache_read_input_tokens": 50,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
            "output_tokens": 5,
        },
        {"input": 10, "cache_read": 50, "cache_write": 100, "cache_write_1h": 200, "output": 5},
        (),
    ),
    "no split": (
        {"input_tokens": 10, "cache_creation_input_tokens": 300, "output_tokens": 5},
        {"input": 10, "cache_write": 300, "output": 5},
        (),
    ),
    "a split that lags behind": (
        {
            "input_tokens": 10,
            "cache_creation_input_tokens": 300,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 200},
            "output_tokens": 5,
        },
        {"input": 10, "cache_write_1h": 300, "output": 5},
        (),
    ),
    "thinking": (
        {"input_tokens": 10, "output_tokens": 100, "output_tokens_details": {"thinking_tokens": 60}},
        {"input": 10, "output": 40, "reasoning": 60},
        (),
    ),
    "server tools": (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 3, "code_execution_requests": 1},
        },
        {"input": 10, "output": 5, "web_search": 2, "tool:code_execution": 1},
        (),
    ),
    "an adviser is another model": (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "iterations": [
                {"type": "message", "input_tokens": 10, "output_tokens": 5},
                {
                    "type": "advisor_message",
                    "model": "x",
                    "input_tokens": 20,
                    "cache_read_input_tokens": 1,
                    "output_tokens": 7,
                },
            ],
        },
        {"input": 10, "output": 5, "tool:advisor_input": 21, "tool:advisor_output": 7},
        (),
    ),
    "compaction is left out of the totals": (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "iterations": [
                {"type": "compaction", "input_tokens": 100, "output_tokens": 30},
                {"type": "message", "input_tokens": 10, "output_tokens": 5},
            ],
        },
        {"input": 110, "output": 35},
        ("outside:compaction",),
    ),
    "missing output": ({"input_tokens": 10}, {"input": 10}, ("missing:output_tokens",)),
    "lies": (
        {"input_tokens": -1, "output_tokens": "7", "cache_read_input_tokens": 1.5},
        {"output": 7, "cache_read": 2},
        ("string:output_tokens", "negative:input_tokens", "float:cache_read_input_tokens"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_meters(name: str) -> None:
    """What the API reports, each token once."""
    given, counts, flags = CASES[name]
    usage = read_usage(given)
    assert usage is not None
    assert usage.counts == counts
    assert usage.flags == flags


def test_later_reports_replace_field_by_field() -> None:
    """Reports are cumulative: the last one counts, and what it does not know stays."""
    running = RunningUsage()
    running.add(
        b'{"input_tokens":20,"cache_read_input_tokens":7,"cache_creation":{"ephemeral_1h_input_tokens":9},"output_tokens":1}'
    )
    usage = running.add(b'{"output_tokens":15}')
    assert usage is not None
    assert usage.counts == {"input": 20, "cache_read": 7, "cache_write_1h": 9, "output": 15}
    usage = running.add(b'{"input_tokens":7244,"output_tokens":153}')
    assert usage is not None
    assert usage.counts == {"input": 7244, "cache_read": 7, "cache_write_1h": 9, "output": 153}


@pytest.mark.parametrize("nothing", ["0", "null", "-5", '""'])
def test_nothing_never_erases_what_was_known(nothing: str) -> None:
    """Some providers send the input as zero in the last report."""
    running = RunningUsage()
    running.add(b'{"input_tokens":20,"output_tokens":1}')
    usage = running.add(f'{{"input_tokens":{nothing},"output_tokens":5}}'.encode())
    assert usage is not None
    assert usage.counts == {"input": 20, "output": 5}


def test_no_report_is_no_usage() -> None:
    """A stream that has not said anything has none."""
    assert RunningUsage().add(None) is None


def test_the_usage_of_an_end_always_has_output() -> None:
    """Anthropic's SDK demands the member."""
    assert usage_json({}) == b'{"output_tokens":0}'
    assert usage_json({"input_tokens": 3, "output_tokens": 4}) == b'{"output_tokens":4,"input_tokens":3}'
