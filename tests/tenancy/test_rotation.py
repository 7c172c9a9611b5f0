"""When a secret is due, and what an administrator may say of it."""

from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from headgate.tenancy.moments import from_iso, to_iso
from headgate.tenancy.rotation import LEAST_TRANSITION_MS, RotationPolicy, rotation_policy, transition_ms

NOW = from_iso("2027-01-31T08:00:00Z", "now")


@pytest.mark.parametrize(
    ("policy", "due"),
    [
        (RotationPolicy(period="weekly"), "2027-02-07T08:00:00.000Z"),
        (RotationPolicy(period="monthly"), "2027-02-28T08:00:00.000Z"),
        (RotationPolicy(days=90), "2027-05-01T08:00:00.000Z"),
        (RotationPolicy(), None),
    ],
)
def test_the_next_rotation_follows_from_the_last(policy: RotationPolicy, due: str | None) -> None:
    """A week, a month (its last day where it is shorter), so many days; without a period it is not due again."""
    found = policy.next_after(NOW)
    assert (None if found is None else to_iso(found)) == due


def test_december_is_followed_by_january() -> None:
    """Of the next year."""
    found = RotationPolicy(period="monthly").next_after(from_iso("2027-12-31T23:59:59Z", "now"))
    assert found is not None
    assert to_iso(found) == "2028-01-31T23:59:59.000Z"


def test_what_is_written_is_read() -> None:
    """The first rotation may have a day of its own; null is no policy."""
    written = {"rotation_period": "monthly", "next_rotation_at": "2027-02-02T00:00:00Z", "rotation_period_days": None}
    policy, due = rotation_policy(written, NOW)
    assert policy == RotationPolicy(period="monthly", transition_ms=LEAST_TRANSITION_MS)
    assert due == from_iso("2027-02-02T00:00:00Z", "due")
    assert rotation_policy({"rotation_period_days": 7, "key_transition_period_ms": 3_600_000}, NOW) == (
        RotationPolicy(days=7, transition_ms=3_600_000),
        NOW + 7 * 86_400 * 10**9,
    )
    assert rotation_policy(None, NOW) == (None, None)


@pytest.mark.parametrize(
    ("written", "param"),
    [
        ("monthly", "rotation_policy"),
        ({"rotation_period": "daily"}, "rotation_policy.rotation_period"),
        ({"rotation_period_days": 366}, "rotation_policy.rotation_period_days"),
        ({"rotation_period_days": 0}, "rotation_policy.rotation_period_days"),
        ({"rotation_period": "weekly", "rotation_period_days": 7}, "rotation_policy.rotation_period_days"),
        ({"next_rotation_at": "2027-01-31T08:00:00Z"}, "rotation_policy.next_rotation_at"),
        ({"next_rotation_at": "soon"}, "rotation_policy.next_rotation_at"),
        ({"key_transition_period_ms": 1_799_999}, "rotation_policy.key_transition_period_ms"),
    ],
)
def test_what_cannot_be_is_refused_by_name(written: Any, param: str) -> None:
    """The field is named."""
    with pytest.raises(InvalidRequest) as refused:
        rotation_policy(written, NOW)
    assert refused.value.param == param


def test_the_transition_of_one_rotation() -> None:
    """What is asked for; else the policy's; else half an hour. 0 ends the old secret at once, a minute is too short."""
    policy = RotationPolicy(transition_ms=7_200_000)
    assert [transition_ms(value, policy) for value in (None, 0, 1_800_000)] == [7_200_000, 0, 1_800_000]
    assert transition_ms(None, None) == LEAST_TRANSITION_MS
    for wrong in (60_000, -1, False, "soon"):
        with pytest.raises(InvalidRequest):
            transition_ms(wrong, policy)
