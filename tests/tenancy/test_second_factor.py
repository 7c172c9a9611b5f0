"""Codes of the time: those of the standard, and none besides."""

import pytest

from headgate.base.clock import NANOS_PER_SECOND
from headgate.tenancy.second_factor import code_at, otpauth, secret_text, step_of

SECRET = b"12345678901234567890"
VECTORS = [
    (59, "287082"),
    (1_111_111_109, "081804"),
    (1_111_111_111, "050471"),
    (1_234_567_890, "005924"),
    (2_000_000_000, "279037"),
    (20_000_000_000, "353130"),
]
"""RFC 6238, appendix B: seconds, and the last six digits of the code."""


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """Its own vectors, and the step that each is of."""
    assert code_at(SECRET, seconds // 30) == code
    assert step_of(SECRET, code, seconds * NANOS_PER_SECOND) == seconds // 30


def test_a_clock_may_be_off_by_half_a_minute() -> None:
    """The code before and the one after are taken, those beyond are not."""
    now = 1_000_000 * 30 * NANOS_PER_SECOND
    found = {off: step_of(SECRET, code_at(SECRET, 1_000_000 + off), now) for off in range(-3, 4)}
    assert found == {-3: None, -2: None, -1: 999_999, 0: 1_000_000, 1: 1_000_001, 2: None, 3: None}


@pytest.mark.parametrize("code", ["", "28708", "2870820", "28708a", " 287082", "２８７０８２", "287082\n"])
def test_what_is_no_code_is_none(code: str) -> None:
    """Six ASCII digits and nothing else."""
    assert step_of(SECRET, code, 59 * NANOS_PER_SECOND) is None


def test_an_app_reads_the_address() -> None:
    """Everything that stands in it is escaped."""
    assert secret_text(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    address = otpauth(SECRET, "Headgate", "a b&c@example.com")
    assert address.startswith("otpauth://totp/Headgate%3Aa%20b%26c%40example.com?secret=GEZDGNBV")
    assert address.endswith("&issuer=Headgate&algorithm=SHA1&digits=6&period=30")
