"""Whether a request's head means one thing only."""

import pytest

from headgate.base.errors import HeadersTooLarge, InvalidRequest
from headgate.dataplane.head import CheckedHead, Target, check_head, read_target

HOST = (b"host", b"gateway.example")


def check(target: bytes, *headers: tuple[bytes, bytes], version: str = "1.1") -> CheckedHead:
    return check_head(target, headers, version, max_bytes=1000, max_headers=10)


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (b"/", b"gateway.example"),
        (b"/v1/chat/completions?x=%2F&y", b"gateway.example:8787"),
        (b"/v1//x", b"[::1]:8787"),
        (b"http://gateway.example/v1", b"gateway.example"),
        (b"HTTP://Gateway.Example:80/v1", b"gateway.example"),
        (b"https://gateway.example/v1", b"gateway.example:443"),
        (b"http://[::1]:8787/", b"[::1]:8787"),
    ],
)
def test_ordinary_targets_and_hosts_pass(target: bytes, host: bytes) -> None:
    """A path, or a whole URL that names the host the request was sent to."""
    assert check(target, (b"host", host)) == CheckedHead(0, chunked=False, expects_continue=False)


def test_length_and_expectation_are_read() -> None:
    """What the edge needs to refuse a body before it is sent."""
    head = check(b"/", HOST, (b"content-length", b"42"), (b"expect", b"100-Continue"))
    assert head == CheckedHead(42, chunked=False, expects_continue=True)


def test_http_1_0_may_come_without_host() -> None:
    """It is older than the Host header."""
    assert check(b"/", version="1.0") == CheckedHead(0, chunked=False, expects_continue=False)


@pytest.mark.parametrize(
    ("target", "headers", "param"),
    [
        (b"/", [], "host"),
        (b"/", [HOST, HOST], "host"),
        (b"/", [(b"host", b"a"), (b"host", b"b")], "host"),
        (b"/", [(b"host", b"")], "host"),
        (b"/", [(b"host", b"a b")], "host"),
        (b"/", [(b"host", b"a, b")], "host"),
        (b"/", [(b"host", b"u@a")], "host"),
        (b"/", [(b"host", b"a/b")], "host"),
        (b"/", [(b"host", b"a:b")], "host"),
        (b"/", [(b"host", b"a:123456")], "host"),
        (b"http://other.example/", [HOST], "host"),
        (b"http://gateway.example:8080/", [HOST], "host"),
        (b"http://gateway.example@other.example/", [HOST], "path"),
        (b"http://gateway.example", [HOST], "path"),
        (b"ftp://gateway.example/", [HOST], "path"),
        (b"gateway.example:443", [HOST], "path"),
        (b"*", [HOST], "path"),
        (b"", [HOST], "path"),
        (b"/a b", [HOST], "path"),
        (b"/a#b", [HOST], "path"),
        (b"/\xc3\xa9", [HOST], "path"),
        (b"/", [HOST, (b"content-length", b"5"), (b"content-length", b"5")], "content-length"),
        (b"/", [HOST, (b"content-length", b"+5")], "content-length"),
        (b"/", [HOST, (b"content-length", b"5, 5")], "content-length"),
        (b"/", [HOST, (b"content-length", b"")], "content-length"),
        (b"/", [HOST, (b"content-length", b"9" * 19)], "content-length"),
        (b"/", [HOST, (b"content-length", b"5"), (b"transfer-encoding", b"chunked")], "content-length"),
        (b"/", [HOST, (b"transfer-encoding", b"gzip, chunked")], "transfer-encoding"),
        (b"/", [HOST, (b"transfer-encoding", b"identity")], "transfer-encoding"),
        (b"/", [HOST, (b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")], "transfer-encoding"),
    ],
)
def test_a_head_that_two_readers_could_read_differently_is_refused(
    target: bytes, headers: list[tuple[bytes, bytes]], param: str
) -> None:
    """The refusal names what is wrong."""
    with pytest.raises(InvalidRequest) as caught:
        check(target, *headers)
    assert caught.value.param == param


def test_http_1_0_with_chunks_is_refused() -> None:
    """A proxy of that age would take the chunks for the next request."""
    with pytest.raises(InvalidRequest):
        check(b"/", (b"transfer-encoding", b"chunked"), version="1.0")


def test_count_and_size_are_bounded() -> None:
    """Ten headers and a thousand bytes here; the target counts."""
    check(b"/", HOST, *[(b"x", b"y")] * 9)
    with pytest.raises(HeadersTooLarge):
        check(b"/", HOST, *[(b"x", b"y")] * 10)
    check(b"/" + b"a" * 900, HOST)
    for target, header in ((b"/" + b"a" * 1000, (b"x", b"y")), (b"/", (b"x", b"y" * 1000)), (b"/", (b"y" * 999, b""))):
        with pytest.raises(HeadersTooLarge):
            check(target, HOST, header)


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        (b"/", Target("/", b"/", b"")),
        (b"/v1/a?b=c?d", Target("/v1/a", b"/v1/a", b"b=c?d")),
        (b"/a%20b%2520?%41", Target("/a b%20", b"/a%20b%2520", b"%41")),
        (b"//other.example/a", Target("//other.example/a", b"//other.example/a", b"")),
        (b"HTTP://gateway.example:80/a?b", Target("/a", b"/a", b"b")),
        (b"/%ff%c3%a9", Target("/\ufffd\u00e9", b"/%ff%c3%a9", b"")),
    ],
)
def test_a_target_is_taken_apart_once(target: bytes, parts: Target) -> None:
    """What is routed and authorised is this path, decoded once; a second slash begins no host."""
    check(target, HOST)
    assert read_target(target) == parts
