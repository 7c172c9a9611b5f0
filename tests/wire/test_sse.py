"""Event streams, however they are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.base.errors import UpstreamFailed
from headgate.wire.sse import Event, EventSplitter
from tests.support.recordings import some_recordings

Seen = tuple[bytes, bytes]


def split(*chunks: bytes) -> list[Event]:
    splitter = EventSplitter()
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return events + splitter.finish()


def seen(events: list[Event]) -> list[Seen]:
    """What a reader of the stream acts upon."""
    return [(event.name, event.data) for event in events if event.data]


def raw(events: list[Event]) -> bytes:
    return b"".join(event.raw for event in events)


STREAMS: dict[str, tuple[bytes, list[Seen]]] = {
    "plain": (b"data: one\n\ndata: two\n\n", [(b"", b"one"), (b"", b"two")]),
    "named": (b"event: ping\ndata: {}\n\n", [(b"ping", b"{}")]),
    "crlf": (b"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", [(b"a", b"1"), (b"", b"2")]),
    "cr": (b"event: a\rdata: 1\r\rdata: 2\r\r", [(b"a", b"1"), (b"", b"2")]),
    "mixed": (
        b"data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\ndata: 4\n\r",
        [(b"", b"1"), (b"", b"2"), (b"", b"3"), (b"", b"4")],
    ),
    "lines": (b"data: a\ndata:b\ndata\ndata:  c\n\n", [(b"", b"a\nb\n\n c")]),
    "comments": (b": OPENROUTER PROCESSING\n\n:\n\ndata: 1\n: in between\n\n", [(b"", b"1")]),
    "other fields": (b"id: 7\nretry: 3000\nunknown: x\ndata: 1\n\nretry: 1\n\n", [(b"", b"1")]),
    "no space": (b"event:e\ndata:1\n\n", [(b"e", b"1")]),
    "name after data": (b"data: 1\nevent: e\n\n", [(b"e", b"1")]),
    "name without data": (b"event: e\n\ndata: 1\n\n", [(b"", b"1")]),
    "blank lines": (b"\n\n\ndata: 1\n\n\n\n\ndata: 2\n\n\n", [(b"", b"1"), (b"", b"2")]),
    "bom": (b"\xef\xbb\xbfdata: 1\n\ndata: \xef\xbb\xbf2\n\n", [(b"", b"1"), (b"", b"\xef\xbb\xbf2")]),
    "utf-8": ("data: é日😀\n\n".encode(), [(b"", "é日😀".encode())]),
    "unfinished": (b"data: 1\n\ndata: 2", [(b"", b"1"), (b"", b"2")]),
    "unfinished line": (b"data: 1\n\ndata: [DONE]\n", [(b"", b"1"), (b"", b"[DONE]")]),
    "unfinished crlf": (b"data: 1\r\n\r\ndata: 2\r\n\r", [(b"", b"1"), (b"", b"2")]),
    "lone cr in data": (b"data: a\rdata: b\n\n", [(b"", b"a\nb")]),
    "unfinished lines": (b"event: e\ndata: 1\ndata: 2\n: c", [(b"e", b"1\n2")]),
    "empty": (b"", []),
}


@pytest.mark.parametrize("name", STREAMS)
def test_events_are_read(name: str) -> None:
    """Names and data as the specification has them, and the raw bytes complete."""
    stream, expected = STREAMS[name]
    events = split(stream)
    assert seen(events) == expected
    assert raw(events) == stream


@pytest.mark.parametrize("name", STREAMS)
def test_cut_at_every_byte_it_reads_the_same(name: str) -> None:
    """In two pieces at every place, with and without a first event before it, and byte by byte."""
    stream, expected = STREAMS[name]
    for at in range(len(stream) + 1):
        assert seen(split(stream[:at], stream[at:])) == expected
        events = split(b"data: 0\n\n", b"data: 0\n\n" + stream[:at], stream[at:])
        assert raw(events) == b"data: 0\n\n" * 2 + stream
        if name != "bom":  # a byte order mark is one at the start of a stream only
            assert seen(events) == [(b"", b"0")] * 2 + expected
    events = split(*[stream[at : at + 1] for at in range(len(stream))])
    assert seen(events) == expected
    assert raw(events) == stream


pieces = st.sampled_from(
    [
        b"data: ",
        b"data:",
        b"event: x",
        b"\n",
        b"\n\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\r",
        b": c",
        b"{}",
        b"\xef\xbb\xbf",
        b"\xc3",
        b"id: 1",
    ]
)


@given(st.lists(pieces, max_size=30), st.lists(st.integers(0, 200), max_size=10))
def test_any_bytes_cut_anywhere_read_the_same(parts: list[bytes], cuts: list[int]) -> None:
    """What is read depends on the bytes alone, and every byte is accounted for."""
    stream = b"".join(parts)
    whole = split(stream)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    cut = split(*[stream[start:end] for start, end in pairwise(places)])
    assert seen(cut) == seen(whole)
    assert raw(cut) == raw(whole) == stream


@given(
    st.lists(st.text(max_size=20).map(lambda text: "".join(text.splitlines())), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_is_written_is_read(texts: list[str], line_end: str) -> None:
    """Any text without line ends comes out as it went in, with each kind of line end."""
    stream = "".join(f"data: {text}{line_end}{line_end}" for text in texts).encode()
    assert seen(split(stream)) == [(b"", text.encode()) for text in texts if text]


def test_a_whole_event_keeps_its_bytes_object() -> None:
    """The usual chunk is one event: nothing is copied on its way through."""
    splitter = EventSplitter()
    splitter.feed(b"data: 1\n\n")
    chunk = b'data: {"x":2}\n\n'
    (event,) = splitter.feed(chunk)
    assert event.raw is chunk


def test_an_event_beyond_the_limit_is_an_error() -> None:
    """Memory is bounded, whatever a provider sends and however it is cut."""
    assert len(EventSplitter(max_event_bytes=20).feed(b"data: 123456789012\n\n")) == 1
    splitter = EventSplitter(max_event_bytes=20)
    for _ in range(20):
        splitter.feed(b"x")
    with pytest.raises(UpstreamFailed):
        splitter.feed(b"x")
    splitter = EventSplitter(max_event_bytes=20)
    splitter.feed(b"data: 1\n\n")
    with pytest.raises(UpstreamFailed):
        splitter.feed(b"data: 1\n\ndata: 12345678901234567890")


def test_time_is_linear_in_the_length() -> None:
    """No byte is searched twice: what is searched for one long event grows with its length, not with its square."""
    splitter = EventSplitter()
    splitter.feed(b"data: ")
    for _ in range(2_000):
        splitter.feed(b"x" * 100)
        assert len(splitter._pending) - splitter._searched <= 3
    assert len(splitter.feed(b"\n\n")) == 1


def test_recorded_streams_read_the_same_byte_by_byte() -> None:
    """Every recorded stream of every provider, one byte at a time and whole."""
    for recording in some_recordings():
        if recording.streams:
            whole = split(recording.body)
            cut = split(*[recording.body[at : at + 1] for at in range(len(recording.body))])
            assert seen(cut) == seen(whole), recording.name
            assert raw(cut) == raw(whole) == recording.body
            assert whole, recording.name
