"""API keys: their shape, their checksum, and what is kept of them."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.base.ids import BASE32_ALPHABET
from headgate.tenancy import keys

PEPPER = b"p" * keys.PEPPER_BYTES


def test_a_minted_key_parses_to_its_own_id() -> None:
    """`parse` takes exactly what `mint` gives, and finds the same id in it."""
    minted = keys.mint(PEPPER)
    parsed = keys.parse(minted.text)
    assert parsed is not None
    assert parsed.id == minted.id
    assert minted.text.startswith(f"hg_{minted.id}_")


def test_a_key_has_eighty_bits_of_id_and_a_hundred_and_sixty_of_secret() -> None:
    """All randomness asked for ends in the key: with every bit set, every character is the alphabet's last."""
    _, key_id, secret, _ = keys.mint(PEPPER, lambda n: b"\xff" * n).text.split("_")
    assert key_id == "z" * 16
    assert secret == "z" * 32


def test_keys_differ() -> None:
    """A thousand keys have a thousand ids and a thousand secrets."""
    minted = [keys.mint(PEPPER, random.Random(seed).randbytes) for seed in range(1000)]
    assert len({key.id for key in minted}) == 1000
    assert len({key.text.split("_")[2] for key in minted}) == 1000


@given(st.data())
def test_any_one_wrong_character_is_noticed(data: st.DataObject) -> None:
    """A typing mistake is refused without a look-up: CRC-32 sees every change of a single character."""
    text = keys.mint(PEPPER, random.Random(7).randbytes).text
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(BASE32_ALPHABET + "_" + string.ascii_uppercase).filter(lambda c: c != text[at]))
    assert keys.parse(text[:at] + other + text[at + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    ["", "hg_", "sk-proj-abc", "OPENAI_API_KEY", "hg_a_b_c", "x" * 100_000],
)
def test_what_is_no_key_does_not_parse(text: str) -> None:
    """Other vendors' keys, placeholders and long nonsense are simply no key."""
    assert keys.parse(text) is None


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\n", "{}x", "{0}{0}"])
def test_a_key_with_something_around_it_is_no_key(around: str) -> None:
    """Nothing is trimmed: the text that is hashed is the text that was sent."""
    assert keys.parse(around.format(keys.mint(PEPPER).text)) is None


def test_the_hash_depends_on_every_part_and_on_the_pepper() -> None:
    """32 bytes, the same for the same key and pepper, different for any other."""
    one, two = keys.mint(PEPPER), keys.mint(PEPPER)
    assert len(one.hash) == 32
    assert one.hash == keys.hash_key(one.text, PEPPER)
    assert one.hash != two.hash
    assert one.hash != keys.hash_key(one.text, b"q" * keys.PEPPER_BYTES)


def test_an_adopted_key_is_stored_as_if_it_had_been_minted_here() -> None:
    """A key from elsewhere keeps its text and gets this installation's hash."""
    minted = keys.mint(b"other" * 8)
    parsed = keys.parse(minted.text)
    assert parsed is not None
    adopted = keys.adopt(parsed, PEPPER)
    assert (adopted.text, adopted.id, adopted.masked) == (minted.text, minted.id, minted.masked)
    assert adopted.hash == keys.hash_key(minted.text, PEPPER)


def test_a_key_never_prints_its_secret() -> None:
    """Neither representation shows more than the id; the masked form shows its ends."""
    minted = keys.mint(PEPPER)
    secret = minted.text.split("_")[2]
    parsed = keys.parse(minted.text)
    assert secret not in f"{minted!r} {parsed!r} {minted.masked}"
    assert minted.masked == f"{minted.text[:7]}…{minted.text[-4:]}"


@pytest.mark.parametrize("text", ["correct-horse-battery", "hg_my-own-admin", "x" * 256])
def test_an_operators_own_admin_key_is_a_key_like_the_others(text: str) -> None:
    """Its id is derived from it: the same text is the same key, another text another."""
    key = keys.chosen(text)
    assert key is not None
    assert key == keys.chosen(text)
    assert key.id != getattr(keys.chosen(text[:-1] + "!"), "id", None)


@pytest.mark.parametrize("text", ["", "too-short", "with a space in it", "x" * 257, "naïve-but-long-enough"])
def test_what_cannot_be_a_key_is_none(text: str) -> None:
    """Too short to be a secret, or not to be carried in a header."""
    assert keys.chosen(text) is None


def test_a_mistyped_key_of_ours_is_not_taken_for_an_operators_own() -> None:
    """A wrong checksum stays a wrong key, without a look-up."""
    text = keys.mint(PEPPER, random.Random(7).randbytes).text
    assert keys.chosen(text[:-1] + ("0" if text[-1] != "0" else "1")) is None
