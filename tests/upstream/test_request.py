"""A request's bytes."""

import pytest

from headgate.upstream.origin import Origin
from headgate.upstream.request import OURS, Request, render_head

ORIGIN = Origin.parse("https://api.example/v1")


def test_a_request_is_rendered_as_it_was_given() -> None:
    """Path below the base path, Host and length by us, no compression asked for, the headers in their order."""
    headers = [(b"authorization", b"Bearer k"), (b"x-b", b""), (b"x-a", b"\xff ok")]
    head = render_head(Request(ORIGIN, b"POST", b"/chat/completions?x=1", headers, b"{}"))
    assert head == (
        b"POST /v1/chat/completions?x=1 HTTP/1.1\r\nhost: api.example\r\naccept-encoding: identity\r\n"
        b"authorization: Bearer k\r\nx-b: \r\nx-a: \xff ok\r\ncontent-length: 2\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("method", "path", "header"),
    [
        (b"POST ", b"/", (b"a", b"b")),
        (b"post", b"/", (b"a", b"b")),
        (b"POST", b"", (b"a", b"b")),
        (b"POST", b"v1", (b"a", b"b")),
        (b"POST", b"/a b", (b"a", b"b")),
        (b"POST", b"/ HTTP/1.1\r\nx: y", (b"a", b"b")),
        (b"POST", b"/a#b", (b"a", b"b")),
        (b"POST", b"/\xc3\xa9", (b"a", b"b")),
        (b"POST", b"/", (b"a", b"b\r\nx: y")),
        (b"POST", b"/", (b"a", b"b\n")),
        (b"POST", b"/", (b"a", b"b\rc")),
        (b"POST", b"/", (b"a", b"b\x00")),
        (b"POST", b"/", (b"", b"b")),
        (b"POST", b"/", (b"a b", b"b")),
        (b"POST", b"/", (b"a: b\r\nc", b"b")),
        *((b"POST", b"/", (name.title(), b"1")) for name in sorted(OURS)),
    ],
)
def test_what_could_be_read_as_another_request_is_never_sent(
    method: bytes, path: bytes, header: tuple[bytes, bytes]
) -> None:
    """No line break gets in anywhere, and only the client itself says where a message ends."""
    with pytest.raises(ValueError, match=r"header|path"):
        render_head(Request(ORIGIN, method, path, [header], b""))
