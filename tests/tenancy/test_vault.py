"""The vault: what was sealed opens in its own row, and nowhere else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.tenancy.vault import BadMasterKey, CannotOpen, MasterKey, Vault

KEY = MasterKey(b"k" * 32)
SECRET = b"sk-very-secret-credential"


def test_a_sealed_secret_opens_in_its_row() -> None:
    """`open` gives back what `seal` took, and the record does not show it."""
    vault = Vault([KEY])
    record = vault.seal(SECRET, "org_1", "integration/int_1/key")
    assert SECRET not in record
    assert vault.open(record, "org_1", "integration/int_1/key") == SECRET


@given(st.binary(max_size=5000), st.text(max_size=30), st.text(max_size=30))
def test_anything_can_be_sealed_anywhere(secret: bytes, organization: str, row: str) -> None:
    """Any bytes, any names: empty ones too."""
    vault = Vault([KEY])
    assert vault.open(vault.seal(secret, organization, row), organization, row) == secret


def test_the_same_secret_is_never_sealed_to_the_same_record() -> None:
    """Equal credentials of two rows cannot be told from their records."""
    vault = Vault([KEY])
    assert vault.seal(SECRET, "org_1", "a") != vault.seal(SECRET, "org_1", "a")


@pytest.mark.parametrize(
    ("organization", "row"),
    [("org_2", "integration/int_1/key"), ("org_1", "integration/int_2/key"), ("org_1|integration", "int_1/key")],
)
def test_a_record_moved_to_another_row_does_not_open(organization: str, row: str) -> None:
    """Who can write the table still cannot make one tenant's credential serve another."""
    vault = Vault([KEY])
    record = vault.seal(SECRET, "org_1", "integration/int_1/key")
    with pytest.raises(CannotOpen) as caught:
        vault.open(record, organization, row)
    assert row in caught.value.message


def test_the_names_in_front_of_a_record_cannot_slide_into_each_other() -> None:
    """("a|b", "c") and ("a", "b|c") are different places."""
    vault = Vault([KEY])
    with pytest.raises(CannotOpen):
        vault.open(vault.seal(SECRET, "a|b", "c"), "a", "b|c")


def test_any_changed_bit_is_noticed() -> None:
    """Every single bit of a record is guarded: version, key id, nonce, ciphertext and tag."""
    vault = Vault([KEY])
    record = vault.seal(SECRET, "org_1", "a")
    for position in range(len(record) * 8):
        changed = bytearray(record)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(CannotOpen):
            vault.open(bytes(changed), "org_1", "a")


def test_a_truncated_record_is_refused() -> None:
    """Every prefix of a record is an error that names the row, never a crash."""
    vault = Vault([KEY])
    record = vault.seal(SECRET, "org_1", "row-name")
    for length in range(len(record)):
        with pytest.raises(CannotOpen, match="row-name"):
            vault.open(record[:length], "org_1", "row-name")


def test_errors_never_show_the_secret() -> None:
    """Neither the error nor what it was raised from carries plaintext or key."""
    vault = Vault([KEY])
    with pytest.raises(CannotOpen) as caught:
        vault.open(vault.seal(SECRET, "org_1", "a"), "org_1", "b")
    shown = f"{caught.value!r} {caught.value.message} {caught.value.__cause__!r}"
    assert SECRET.decode() not in shown
    assert KEY.to_text() not in shown


def test_a_new_master_key_reads_what_the_old_one_sealed() -> None:
    """During a rotation both are here: new seals use the first, old records open and ask to be rewrapped."""
    old, new = KEY, MasterKey.generate()
    record = Vault([old]).seal(SECRET, "org_1", "a")
    both = Vault([new, old])
    assert both.needs_rewrap(record)
    rewrapped = both.rewrap(record, "org_1", "a")
    assert not both.needs_rewrap(rewrapped)
    assert Vault([new]).open(rewrapped, "org_1", "a") == SECRET


def test_a_record_whose_master_key_is_gone_says_which_and_what_to_do() -> None:
    """The message names the row, the missing key's id, and where to put it."""
    record = Vault([KEY]).seal(SECRET, "org_1", "integration/int_1/key")
    with pytest.raises(CannotOpen) as caught:
        Vault([MasterKey.generate()]).open(record, "org_1", "integration/int_1/key")
    assert "integration/int_1/key" in caught.value.message
    assert KEY.id.hex() in caught.value.message
    assert "HEADGATE_MASTER_KEY" in caught.value.message


def test_a_master_key_is_written_as_base64_and_read_back() -> None:
    """Both alphabets are taken, with white space around."""
    key = MasterKey(b"\xfb\xff" * 16)
    assert MasterKey.from_text(f" {key.to_text()}\n") == key
    assert MasterKey.from_text(base64.urlsafe_b64encode(key.secret).decode()) == key


@pytest.mark.parametrize("text", ["", "short", "not base64!", "a" * 44, base64.b64encode(b"k" * 31).decode()])
def test_a_malformed_master_key_is_refused_without_being_shown(text: str) -> None:
    """Only 32 bytes in base64 are a master key."""
    with pytest.raises(BadMasterKey) as caught:
        MasterKey.from_text(text)
    assert "32 bytes" in caught.value.message
    assert not text or text not in caught.value.message


def test_a_master_key_never_prints_itself() -> None:
    """The representation carries neither the bytes nor their base64."""
    assert KEY.to_text() not in repr(KEY)
    assert "kkkk" not in repr(KEY)


def test_a_vault_without_a_key_is_refused() -> None:
    """There is no mode in which secrets are stored in the clear."""
    with pytest.raises(BadMasterKey):
        Vault([])
