"""The two books side by side: what counts as a difference."""

import pytest

from headgate.demo.join import join
from headgate.ledger.record import Outcome, UsageRecord
from headgate.simulator.books import Bill


def bill(**usage: int) -> dict[str, Bill]:
    return {"req_1": Bill("req_1", (), usage, told=True)}


def record(source: str = "provider", **usage: int) -> UsageRecord:
    return UsageRecord(
        request_id="req_1",
        trace_id="t",
        organization_id="o",
        workspace_id="w",
        key_id="k",
        integration_id="i",
        provider="openai",
        provider_kind="openai",
        endpoint="/v1/chat/completions",
        model_asked="m",
        model="m",
        stream=False,
        started_at=0,
        ended_after=0,
        outcome=Outcome.OK,
        status=200,
        usage=usage,
        usage_source=source,
    )


@pytest.mark.parametrize(
    ("billed", "recorded", "difference"),
    [
        ({"input": 3, "output": 6}, record(input=3, output=6, cache_read=0), ""),
        ({"input": 3, "output": 6}, record(input=3, output=7), "not the same: output"),
        ({"input": 3, "cache_read": 6}, record(input=9), "not the same: cache_read, input"),
        ({"input": 3, "output": 6}, record("estimated", input=30, output=6), ""),
        ({"input": 3, "output": 6}, record("estimated", input=30, output=5), "estimated below what was billed: output"),
        ({}, record(), ""),
    ],
)
def test_a_record_is_what_was_billed_or_an_estimate_not_below(
    billed: dict[str, int], recorded: UsageRecord, difference: str
) -> None:
    """Meter by meter: a token billed at another meter's price is a difference too."""
    (row,) = join(bill(**billed), [recorded])
    assert row.difference == difference


def test_what_one_book_lacks_is_a_difference() -> None:
    """Neither a call that was billed and forgotten, nor one that was charged and never made."""
    assert [row.difference for row in join(bill(input=1), [])] == ["billed, and not recorded"]
    assert [row.difference for row in join({}, [record()])] == ["recorded, and never asked of the provider"]
