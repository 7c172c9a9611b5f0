"""Same format on both sides: what passes untouched, what does not, and what is read on the way."""

import json
from typing import Any

import pytest

from headgate.base.errors import UpstreamFailed
from headgate.wire.dialogue import Dialogue, Head
from headgate.wire.document import Document
from headgate.wire.registry import FORMATS, open_dialogue
from headgate.wire.sse import EventSplitter
from tests.support.recordings import Recording, in_pieces, some_recordings

ENDINGS = {
    "/chat/completions": "openai_chat",
    "/responses": "openai_responses",
    "/messages": "anthropic_messages",
    "/embeddings": "openai_embeddings",
}

FAILS_IN_MID_STREAM = "tool_use_failed_error_streaming_with_text.0"


def dialogue(name: str, request: dict[str, Any], model: str = "target", **options: Any) -> Dialogue:
    document = Document(json.dumps(request).encode())
    return open_dialogue(name, name, document, FORMATS[name].head(document), model, **options)


def of_our_formats() -> list[tuple[str, Recording]]:
    found = []
    for recording in some_recordings():
        for ending, name in ENDINGS.items():
            if recording.path.endswith(ending):
                found.append((name, recording))
    assert len(found) > 300
    return found


def streams() -> list[tuple[str, Recording]]:
    return [(name, recording) for name, recording in of_our_formats() if recording.streams]


def shown(recording: Recording) -> bytes:
    """What a client that did not ask for usage gets: everything but the chunks that only report it."""
    splitter = EventSplitter()
    events = splitter.feed(recording.body) + splitter.finish()
    return b"".join(
        event.raw for event in events if not (b'"choices":[],' in event.data and b'"usage":{' in event.data)
    )


def expected_totals(name: str, recording: Recording) -> tuple[int, int] | None:
    """Input and output tokens by the provider's own numbers, read as plainly as can be."""
    answers = recording.answer if recording.streams else [recording.answer]
    usage: dict[str, Any] = {}
    for answer in answers:
        for holder in (answer, answer.get("message"), answer.get("response"), answer.get("x_groq")):
            if isinstance(holder, dict):
                usage |= holder.get("usage") or {}
    if not usage:
        return None
    if name == "anthropic_messages":
        caches = usage.get("cache_creation_input_tokens", 0), usage.get("cache_read_input_tokens", 0)
        return usage["input_tokens"] + sum(caches), usage["output_tokens"]
    read: int = usage["prompt_tokens"] if "prompt_tokens" in usage else usage["input_tokens"]
    return read, usage["total_tokens"] - read


def test_requests_change_by_the_model_alone() -> None:
    """Every recorded request goes up as it was written, but for the model and what makes a stream report usage."""
    for name, recording in of_our_formats():
        body = json.dumps(recording.request, indent=1).encode()
        document = Document(body)
        sent = open_dialogue(name, name, document, FORMATS[name].head(document), "target").request()
        expected = {**recording.request, "model": "target"}
        if name == "openai_chat" and expected.get("stream"):
            expected["stream_options"] = {**(expected.get("stream_options") or {}), "include_usage": True}
        assert json.loads(sent.body) == expected, recording.name


def test_answers_pass_untouched_and_are_metered() -> None:
    """Every recorded answer comes down as the same bytes, with the provider's own numbers as its usage."""
    for name, recording in of_our_formats():
        if recording.streams or recording.status != 200:
            continue
        attempt = dialogue(name, recording.request)
        assert attempt.answer(200, recording.body) is recording.body
        assert attempt.complete
        totals = expected_totals(name, recording)
        got = attempt.usage and (attempt.usage.input_tokens, attempt.usage.output_tokens)
        assert got == totals, recording.name
        if name != "openai_embeddings" and totals is not None and totals[1] and "compaction" not in recording.name:
            assert attempt.delivered or attempt.hidden_tokens, recording.name


def test_errors_pass_untouched() -> None:
    """What a provider says of a refused request is the client's to read."""
    for name, recording in of_our_formats():
        if recording.status != 200:
            assert dialogue(name, recording.request).error(recording.status, recording.body) == recording.body


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1_000, 1_000_000])
def test_streams_pass_untouched_and_are_metered(size: int) -> None:
    """However a recorded stream is cut: the same bytes but for the chunk not asked for, and the provider's numbers."""
    for name, recording in streams():
        asked = bool((recording.request.get("stream_options") or {}).get("include_usage"))
        for ask in {asked, False}:
            request = dict(recording.request)
            if not ask:
                request.pop("stream_options", None)
            attempt = dialogue(name, request)
            out = b"".join(attempt.feed(piece) for piece in in_pieces(recording.body, size))
            if FAILS_IN_MID_STREAM in recording.name:
                continue  # its own test is below
            out += attempt.finish()
            assert out == (recording.body if ask else shown(recording)), recording.name
            assert attempt.complete
            usage = attempt.usage
            assert usage is not None, recording.name
            assert (usage.input_tokens, usage.output_tokens) == expected_totals(name, recording), recording.name
            assert attempt.delivered > 0


def test_a_chunk_that_is_one_event_is_not_copied() -> None:
    """The usual case of a stream costs no copy."""
    attempt = dialogue("openai_chat", {"model": "m", "stream": True})
    attempt.feed(b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n')
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
    assert attempt.feed(chunk) is chunk


def test_each_stream_cut_in_two_at_every_byte() -> None:
    """The shortest recorded stream of each format and provider, at every byte; what is metered is the same."""
    shortest: dict[tuple[str, str], Recording] = {}
    for name, recording in streams():
        if FAILS_IN_MID_STREAM in recording.name:
            continue
        kept = shortest.setdefault((name, recording.provider), recording)
        if len(recording.body) < len(kept.body):
            shortest[name, recording.provider] = recording
    for (name, _), recording in shortest.items():
        request = {**recording.request, "stream_options": {"include_usage": True}}
        reference = measured(dialogue(name, request), recording.body)
        document = Document(json.dumps(request).encode())
        head = FORMATS[name].head(document)
        for at in range(0, len(recording.body), 1 if len(recording.body) < 10_000 else 53):
            attempt = open_dialogue(name, name, document, head, "target")
            assert measured(attempt, recording.body[:at], recording.body[at:]) == reference


def measured(attempt: Dialogue, *pieces: bytes) -> tuple[object, ...]:
    out = b"".join(attempt.feed(piece) for piece in pieces) + attempt.finish()
    return out, attempt.usage, attempt.delivered, attempt.complete, attempt.hidden_tokens


def test_a_failure_in_mid_stream_is_the_providers_word() -> None:
    """Groq tells an error in an event: it passes, the answer is not whole, and no second error follows it."""
    for name, recording in streams():
        if FAILS_IN_MID_STREAM in recording.name:
            attempt = dialogue(name, {**recording.request, "stream_options": {"include_usage": True}})
            assert attempt.feed(recording.body) == recording.body
            with pytest.raises(UpstreamFailed) as raised:
                attempt.finish()
            assert attempt.abort(raised.value) == b""
            assert attempt.cut() == b""
            assert not attempt.complete
            return
    pytest.fail("the recording is not among the streams")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_stream_that_breaks_off_is_not_whole(name: str) -> None:
    """The client is told by the format's own error event, and never by an end that looks like success."""
    attempt = dialogue(name, {"model": "m", "stream": True})
    assert attempt.feed(b'data: {"choi') == b""
    with pytest.raises(UpstreamFailed) as raised:
        attempt.finish()
    told = attempt.abort(raised.value)
    assert b"[DONE]" not in told
    (event,) = EventSplitter().feed(told)
    assert "ended before" in json.loads(event.data).get("error", json.loads(event.data))["message"]


def test_recorded_streams_that_break_off_are_not_whole() -> None:
    """Cut after any of its first events, a recorded stream is never taken for a whole answer."""
    for name, recording in streams():
        for at in range(0, len(recording.body) // 2, 997):
            if b'"finish_reason":"' in recording.body[:at]:
                break  # what follows is usage and an end that some providers leave out
            attempt = dialogue(name, recording.request)
            attempt.feed(recording.body[:at])
            with pytest.raises(UpstreamFailed):
                attempt.finish()
            assert not attempt.complete


def test_an_error_that_is_left_over_is_not_lost() -> None:
    """An error event without its blank line never reaches the client: ours goes in its place."""
    attempt = dialogue("openai_chat", {"model": "m", "stream": True})
    attempt.feed(b'data: {"error":{"message":"no"}}')
    with pytest.raises(UpstreamFailed) as raised:
        attempt.finish()
    assert b'"error"' in attempt.abort(raised.value)


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b'{"error":', b"[1]"])
def test_an_unreadable_error_is_replaced(name: str, body: bytes) -> None:
    """A client's SDK always finds an error it can read, and no provider's HTML."""
    error = json.loads(dialogue(name, {"model": "m"}).error(503, body))["error"]
    assert error["message"] == "The provider answered with status 503 and no readable error."
    assert error["details"] == {"status": 503}


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"usage":', b"[" * 100_000])
def test_an_answer_that_is_no_json_is_a_failure(name: str, body: bytes) -> None:
    """It is no answer, whatever its status said."""
    with pytest.raises(UpstreamFailed):
        dialogue(name, {"model": "m"}).answer(200, body)


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b"7", b'{"choices":"x","content":7,"output":{}}', b'{"usage":"free","choices":[{"message":7}]}'],
)
def test_an_answer_of_any_shape_passes(name: str, body: bytes) -> None:
    """Its shape is the provider's business; without usage it is settled by what was delivered."""
    attempt = dialogue(name, {"model": "m"})
    assert attempt.answer(200, body) is body
    assert attempt.usage is None or not attempt.usage.counts


@pytest.mark.parametrize("name", ["openai_chat", "openai_completions", "openai_responses", "anthropic_messages"])
@pytest.mark.parametrize(
    "data", [b"7", b"[]", b"{", b"\xff", b'{"choices":"x"}', b'{"type":7,"delta":7,"item":7,"index":"x"}', b"x" * 50]
)
def test_an_event_of_any_shape_passes(name: str, data: bytes) -> None:
    """Unknown events are forwarded, and what cannot be read counts as delivered in full."""
    attempt = dialogue(name, {"model": "m", "stream": True})
    event = b"event: news\ndata: " + data + b"\n\n"
    assert attempt.feed(event) == event
    assert attempt.delivered in (0, len(data))
    assert attempt.usage is None


def test_overrides_go_up() -> None:
    """The pipeline may set or take out members: a clamped limit, a default."""
    sent = dialogue(
        "openai_chat",
        {"model": "m", "max_tokens": 9, "n": 1},
        overrides={"max_tokens": b"5", "n": None, "max_completion_tokens": b"6"},
    )
    body = {"model": "target", "max_tokens": 5, "max_completion_tokens": 6}
    assert json.loads(sent.request().body) == body


def test_a_request_that_needs_no_change_is_not_copied() -> None:
    """The same model and nothing to ask for: the client's bytes as they are."""
    document = Document(b'{"model":"m"}')
    attempt = open_dialogue("openai_chat", "openai_chat", document, Head(model="m"), "m")
    assert attempt.request().body is document.body


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (None, b'{"include_usage":true}'),
        (b"null", b'{"include_usage":true}'),
        (b"{}", b'{"include_usage":true}'),
        (
            b'{ "include_usage" : false, "include_obfuscation":false }',
            b'{ "include_usage" : true, "include_obfuscation":false }',
        ),
        (b'{"include_usage": true }', b'{"include_usage": true }'),
        (b'{"include_obfuscation":false}', b'{"include_obfuscation":false,"include_usage":true}'),
    ],
)
@pytest.mark.parametrize("name", ["openai_chat", "openai_completions"])
def test_streams_report_usage(name: str, options: bytes | None, sent: bytes) -> None:
    """`include_usage` is forced upstream, and other stream options stay as they were written."""
    given = b"" if options is None else b',"stream_options":' + options
    document = Document(b'{"model":"m","stream":true%b}' % given)
    head = FORMATS[name].head(document)
    body = open_dialogue(name, name, document, head, "m").request().body
    assert Document(body).get("stream_options") == sent
    assert open_dialogue(name, name, document, head, "m", ask_usage=False).request().body is document.body


def test_only_streams_ask_for_usage() -> None:
    """OpenAI refuses `stream_options` without `stream`."""
    assert b"stream_options" not in dialogue("openai_chat", {"model": "m", "stream": False}).request().body
