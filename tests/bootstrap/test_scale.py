"""What settings of several processes must agree on."""

from typing import Any

import pytest

from headgate.base.clock import NANOS_PER_SECOND
from headgate.bootstrap.scale import check_sharing, lost_after
from headgate.settings import BadSetting, Settings

SHARED: dict[str, Any] = {"redis_url": "redis://127.0.0.1:6379", "database_url": "postgresql://127.0.0.1/x"}


@pytest.mark.parametrize(("database_lost_after_s", "expected_s"), [(2.0, 190), (30.0, 190), (600.0, 760)])
def test_a_process_is_lost_once_no_call_that_it_let_in_can_be_under_way(
    database_lost_after_s: float, expected_s: int
) -> None:
    """It may let calls in for as long as it may be without the database, and those may take their time."""
    settings = Settings(**SHARED, database_lost_after_s=database_lost_after_s, total_timeout_s=100.0)
    assert lost_after(settings) == expected_s * NANOS_PER_SECOND


def test_a_process_is_not_given_up_while_it_lets_calls_in() -> None:
    """Without the database it does so, on what it borrowed, until its lease is over too."""
    check_sharing(Settings(**SHARED, process_lost_after_s=60.0))
    check_sharing(Settings(**SHARED, process_lost_after_s=90.0, database_lost_after_s=60.0))
    with pytest.raises(BadSetting, match="database_lost_after_s") as refused:
        check_sharing(Settings(**SHARED, process_lost_after_s=60.0, database_lost_after_s=60.0))
    assert refused.value.param == "process_lost_after_s"
