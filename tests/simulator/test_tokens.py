"""How the simulator counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.simulator import tokens
from headgate.simulator.dialects.base import spoken


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("水", 1), ("水水", 2)])
def test_a_token_is_four_utf8_bytes_rounded_up(text: str, expected: int) -> None:
    """Anyone can check a figure by hand."""
    assert tokens.count(text) == expected


@given(st.text(), st.integers(0, 40))
def test_a_cut_text_is_a_beginning_of_no_more_than_its_tokens(text: str, limit: int) -> None:
    """`first` never exceeds the limit, never cuts a character, and keeps the whole text where it fits."""
    cut = tokens.first(text, limit)
    assert text.startswith(cut)
    assert tokens.count(cut) <= limit
    assert cut == text or tokens.count(text) > limit


@given(st.text(), st.integers(1, 20))
def test_pieces_add_up_to_the_text_and_its_count(text: str, size: int) -> None:
    """The events of a stream carry the whole answer, and what they deliver sums up to what it is billed."""
    assert "".join(tokens.pieces(text, size)) == text
    assert sum(added for _, added in spoken(text, size)) == tokens.count(text)


def test_prose_has_the_length_asked_for() -> None:
    """A text of n tokens counts n."""
    assert [tokens.count(tokens.prose("level. ", n)) for n in (0, 1, 7, 4_000)] == [0, 1, 7, 4_000]


def test_an_image_is_85_tokens_and_its_bytes_are_not_counted() -> None:
    """A picture of any size costs the same; what stands beside it counts as text."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}
    text = {"type": "text", "text": "what is it"}
    assert tokens.prompt([{"role": "user", "content": [text, image]}]) == 85 + 3
