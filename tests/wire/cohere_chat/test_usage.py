"""Cohere's usage: what it bills, not what it processes."""

from typing import Any

import msgspec
import pytest

from headgate.wire.cohere_chat.usage import read_usage
from tests.support.recordings import some_recordings

BILLED = {"input_tokens": 41, "output_tokens": 25}
PROCESSED = {"input_tokens": 1441, "output_tokens": 54}


@pytest.mark.parametrize(
    ("usage", "counts", "flags"),
    [
        ({"billed_units": BILLED, "tokens": PROCESSED, "cached_tokens": 144}, {"input": 41, "output": 25}, ()),
        ({"billed_units": {"output_tokens": 2}, "tokens": PROCESSED}, {"output": 2}, ()),
        ({"billed_units": {"search_units": 1}, "tokens": PROCESSED}, {"input": 1441, "output": 54}, ()),
        ({"billed_units": None, "tokens": PROCESSED}, {"input": 1441, "output": 54}, ()),
        (
            {"billed_units": {"input_tokens": 3.0, "output_tokens": -1}},
            {"input": 3},
            ("float:input_tokens", "negative:output_tokens"),
        ),
        ({"billed_units": {"input_tokens": 0, "output_tokens": 0}}, {}, ("zero:usage",)),
    ],
)
def test_billed_units_count(usage: dict[str, Any], counts: dict[str, int], flags: tuple[str, ...]) -> None:
    """All that is processed counts only where nothing is said of what is billed; the object is kept as it came."""
    found = read_usage(usage)
    assert found is not None
    assert (found.counts, found.flags) == (counts, flags)
    assert msgspec.json.decode(found.raw) == usage


@pytest.mark.parametrize("usage", [None, {}, {"billed_units": {}}, {"tokens": 5}, b"{", b"null"])
def test_no_report_is_none(usage: Any) -> None:
    """What tells no tokens is no report."""
    assert read_usage(usage) is None


def test_recorded_usage_is_what_was_billed() -> None:
    """Every recording reports both figures, and bills no more than it processes."""
    reports = [one.answer["usage"] for one in some_recordings() if one.path == "/v2/chat" and not one.streams]
    assert reports
    for usage in reports:
        found = read_usage(usage)
        assert found is not None
        billed = usage["billed_units"]
        assert (found.input_tokens, found.output_tokens) == (billed["input_tokens"], billed["output_tokens"])
        assert found.total_tokens < sum(usage["tokens"].values())
