"""Responses taken out of bytes."""

import pytest

from headgate.upstream.reader import HEAD_LIMIT, HEADER_LIMIT, Malformed, Reader

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'6\r\ndata: \r\n9;ext=1\r\n{"a":1}\n\n\r\n0\r\nx-trailer: 1\r\n\r\n'
)
SIZED = b"HTTP/1.1 201 Created\r\nX-Two: 1\r\nx-two:  2 \r\nContent-Length: 5\r\n\r\nhello"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "status", "headers", "body"),
    [
        (
            CHUNKED,
            200,
            [(b"content-type", b"text/event-stream"), (b"transfer-encoding", b"chunked")],
            b'data: {"a":1}\n\n',
        ),
        (SIZED, 201, [(b"x-two", b"1"), (b"x-two", b"2"), (b"content-length", b"5")], b"hello"),
        (INTERIM + SIZED, 201, [(b"x-two", b"1"), (b"x-two", b"2"), (b"content-length", b"5")], b"hello"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, [], b""),
        (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-length: 0\r\n\r\n",
            200,
            [(b"content-encoding", b"identity"), (b"content-length", b"0")],
            b"",
        ),
    ],
)
def test_an_answer_reads_the_same_wherever_it_is_cut(
    data: bytes, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Whole, byte by byte, and in two pieces at every place: same head, same body, and the connection may go on."""
    cuts = [[data], [data[i : i + 1] for i in range(len(data))]]
    cuts += [[data[:i], data[i:]] for i in range(1, len(data))]
    for pieces in cuts:
        reader = Reader()
        got = b""
        for piece in pieces:
            assert not reader.complete
            reader.feed(piece)
            got += reader.take()
        assert reader.complete
        assert reader.keep_alive
        assert (reader.status, reader.headers, got) == (status, headers, body)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_body_without_a_length_ends_with_the_connection(version: bytes) -> None:
    """It is whole only when the connection has ended, and nothing can follow it."""
    reader = Reader()
    reader.feed(b"HTTP/%b 200 OK\r\n\r\nhel" % version)
    reader.feed(b"lo")
    assert (reader.complete, reader.end()) == (False, True)
    assert (reader.complete, reader.keep_alive) == (True, False)
    assert reader.take() == b"hello"


@pytest.mark.parametrize("data", [CHUNKED, SIZED, INTERIM + SIZED])
def test_an_answer_that_is_cut_off_is_not_whole(data: bytes) -> None:
    """At no byte before the last does the end of the connection make a complete answer."""
    for cut in range(len(data)):
        reader = Reader()
        reader.feed(data[:cut])
        assert not reader.end()
        assert not reader.complete


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 099 Low\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 600 High\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxx\r\n",
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    """Framing that two readers could read differently, codings that were not asked for, and other protocols."""
    with pytest.raises(Malformed):
        Reader().feed(data)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * (HEAD_LIMIT + 1),
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * HEAD_LIMIT + b"\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * (HEADER_LIMIT + 1) + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: " + b"y" * (HEAD_LIMIT + 1),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;" + b"y" * (HEAD_LIMIT + 1),
    ],
)
@pytest.mark.parametrize("size", [1_000, 1_000_000])
def test_heads_and_framing_are_bounded(data: bytes, size: int) -> None:
    """Headers, interim answers, trailers and chunk extensions cannot fill the memory, however they are cut."""
    reader = Reader()

    def feed() -> None:
        for start in range(0, len(data), size):
            reader.feed(data[start : start + size])

    with pytest.raises(Malformed):
        feed()


@pytest.mark.parametrize("surplus", [b"x", SIZED, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfor B"])
def test_bytes_behind_an_answer_spoil_the_connection_but_not_the_answer(surplus: bytes) -> None:
    """What nobody asked for must not be there when the next question is."""
    reader = Reader()
    reader.feed(SIZED + surplus)
    assert reader.complete
    assert not reader.keep_alive
    assert reader.take() == b"hello"


def test_a_provider_that_closes_after_its_answer_says_so() -> None:
    """`connection: close` ends the use of the connection, with a whole answer."""
    reader = Reader()
    reader.feed(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
    assert reader.complete
    assert not reader.keep_alive
