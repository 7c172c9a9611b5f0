"""How much was generated."""

import pytest

from headgate.wire.content import content_length


@pytest.mark.parametrize(
    ("value", "length"),
    [
        ("abc", 3),
        ("é", 2),
        ("😀", 4),
        ("\ud83d", 3),
        ("", 0),
        (None, 0),
        (7, 0),
        ([{"text": "ab"}, "é", 1], 4),
        ({"a": ["b"]}, 1),
    ],
)
def test_bytes_of_text(value: object, length: int) -> None:
    """Of a text, or of all texts in what is given; half an emoji is no error."""
    assert content_length(value) == length
