"""Forms are read as far as policy needs it, kept byte for byte, and refused where two readers could differ."""

import email.parser
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as some

from headgate.base.errors import InvalidRequest, UnsupportedMedia
from headgate.wire.form import Form

KIND = b"multipart/form-data; boundary=xyz"
FILE = b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'


def part(name: str, value: bytes) -> bytes:
    return b'--xyz\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"


def read_by_another(body: bytes) -> dict[str, bytes]:
    """With the standard library's parser."""
    head = b"Content-Type: " + KIND + b"\r\n\r\n"
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    found = {}
    for each in message.iter_parts():
        content = each.get_payload(decode=True)
        assert isinstance(content, bytes)
        found[str(each.get_param("name", header="content-disposition"))] = content
    return found


def test_fields_and_files() -> None:
    """Texts by their names, numbers among them; files as their bytes."""
    body = (
        part("model", b"m") + part("n", b"2") + part("stream", b"true") + FILE + b"\0\r\n--x\r\n" + b"\r\n--xyz--\r\n"
    )
    form = Form(body, KIND)
    assert (form.string("model"), form.integer("n"), form.boolean("stream")) == ("m", 2, True)
    assert [bytes(file) for file in form.files("file")] == [b"\0\r\n--x\r\n"]
    assert form.string("absent") is None


def test_only_what_is_replaced_changes() -> None:
    """Every other byte stays; what is new stands at the end."""
    body = part("model", b"@a/m") + FILE + bytes(range(256)) + b"\r\n" + part("prompt", b"p") + b"--xyz--\r\n"
    form = Form(body, KIND)
    assert form.replace({"model": b'"m"'}) == body.replace(b"@a/m", b"m")
    added = form.replace({"prompt": None, "extra": b'"\\u00e9"'})
    assert read_by_another(added) == {"model": b"@a/m", "file": bytes(range(256)), "extra": "é".encode()}
    assert form.changed({"model": b'"m"'}).string("model") == "m"


@given(some.dictionaries(some.from_regex(r"[a-z]{1,8}", fullmatch=True), some.text(max_size=40), max_size=5))
def test_others_read_what_policy_read(fields: dict[str, str]) -> None:
    """The same fields with the same values, for another parser."""
    texts = {name: text for name, text in fields.items() if name not in ("file", "image", "mask")}
    body = b"".join(part(name, text.encode()) for name, text in texts.items()) + b"--xyz--\r\n"
    form = Form(body, KIND)
    assert {name: form.string(name) for name in form.names()} == texts


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--xyz--",
        b"preamble\r\n" + part("model", b"m") + b"--xyz--\r\n",
        part("model", b"m"),
        part("model", b"m") + b"--xyz--\r\nepilogue",
        part("model", b"m") + b"--xyz \r\n" + b"--xyz--\r\n",
        part("model", b"m").replace(b"--xyz\r\n", b"--xyz\n") + b"--xyz--\r\n",
        part("model", b"m") + part("model", b"other") + b"--xyz--\r\n",
        part("model", b"m") + part("MODEL", b"other") + b"--xyz--\r\n",
        part("model", b"\xff") + b"--xyz--\r\n",
        part("model", b"m").replace(b"form-data;", b"attachment;") + b"--xyz--\r\n",
        part("model", b"m").replace(b'name="model"', b'name="model"; name="other"') + b"--xyz--\r\n",
        part("model", b"m").replace(b'name="model"', b"name=model") + b"--xyz--\r\n",
        part("model", b"m").replace(b'name="model"', b"name*=utf-8''model") + b"--xyz--\r\n",
        part("model", b"m").replace(b'name="model"', b'name="model"; filename="f"') + b"--xyz--\r\n",
        part("model", b"m").replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + b"--xyz--\r\n",
        part("model", b"m").replace(b"\r\n\r\n", b"\r\n folded\r\n\r\n") + b"--xyz--\r\n",
        part("prompt", b'x\n--xyz\nContent-Disposition: form-data; name="model"\n\nm') + b"--xyz--\r\n",
        part("prompt", b"x\r--xyz--") + b"--xyz--\r\n",
        part("n", b"m") * 101 + b"--xyz--\r\n",
        part("model", b"m" * (1024 * 1024 + 1)) + b"--xyz--\r\n",
        b"--xyz\r\nX: " + b"a" * 10_000 + b"\r\n\r\nm\r\n--xyz--\r\n",
    ],
    ids=lambda body: f"{len(body)} bytes",
)
def test_what_two_readers_could_take_differently_is_refused(body: bytes) -> None:
    """Each is something that some parser forgives, and another reads in its own way."""
    if body == b"--xyz--":
        assert Form(body, KIND).names() == ()
        return
    with pytest.raises(InvalidRequest):
        Form(body, KIND)


@pytest.mark.parametrize(
    "kind",
    [
        None,
        b"",
        b"application/json",
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/mixed; boundary=x",
    ],
)
def test_without_a_boundary_it_is_no_form(kind: bytes | None) -> None:
    """It says what is wanted."""
    with pytest.raises(UnsupportedMedia):
        Form(part("model", b"m") + b"--xyz--\r\n", kind)


@pytest.mark.parametrize("value", [b"1.5", b"-1", b"1e3", b"yes", b"0"])
def test_values_of_the_wrong_kind_are_named(value: bytes) -> None:
    """As in JSON."""
    form = Form(part("n", value) + b"--xyz--\r\n", KIND)
    with pytest.raises(InvalidRequest) as raised:
        form.integer("n", minimum=1)
    assert raised.value.param == "n"
    with pytest.raises(InvalidRequest):
        form.boolean("n")
