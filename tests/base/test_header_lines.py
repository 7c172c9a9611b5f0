"""Headers as bytes of a head."""

import pytest

from headgate.base.header_lines import header_lines, header_pairs


def test_each_header_is_a_line() -> None:
    """In their order; bytes beyond ASCII and tabs are a value's own affair."""
    assert header_lines([]) == b""
    assert header_lines([(b"a", b""), (b"b", b"x\ty \xff")]) == b"a: \r\nb: x\ty \xff\r\n"


@pytest.mark.parametrize("value", [b"x\r\ny: z", b"x\n", b"\r", b"x\x00", b"\x7f", b"x\r\n", b"\x1b[2J"])
def test_a_value_cannot_begin_another_line(value: bytes) -> None:
    """A model's name or a provider's header never becomes a header of its own."""
    with pytest.raises(ValueError, match="one line"):
        header_lines([(b"a", b"b"), (b"x", value)])


def test_lines_are_pairs_again() -> None:
    """For servers that take headers one by one; a colon in a value is the value's."""
    headers = [(b"a", b""), (b"b", b"x: y"), (b"a", b"2")]
    assert header_pairs(header_lines(headers)) == headers
    assert header_pairs(b"") == []
