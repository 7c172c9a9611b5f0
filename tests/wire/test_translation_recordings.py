"""Every recorded chat, answered to clients of the other formats."""

import json

import pytest

from headgate.base.errors import InvalidRequest, UpstreamFailed
from headgate.wire.translation import translatable
from tests.support.chat_answers import STREAMED, WHOLE, Said, events
from tests.support.recordings import Recording, some_recordings
from tests.support.translating import ANTHROPIC, COHERE, GEMINI, MODELS, OPENAI, least_request, sent, translation

CLIENTS = (OPENAI, ANTHROPIC)
PAIRS = [(client, provider) for client in CLIENTS for provider in MODELS if translatable(client, provider)]
STREAMING_PAIRS = [(client, provider) for client, provider in PAIRS if provider != COHERE]
"""No stream of Cohere's is recorded."""


def spoken(recording: Recording) -> str | None:
    """The format a recording is in; None for those that are no chat of ours."""
    if recording.path.endswith("/chat/completions"):
        return OPENAI
    if recording.path.endswith("/messages"):
        return ANTHROPIC
    if recording.path.endswith("/v2/chat"):
        return COHERE
    return GEMINI if "enerateContent" in recording.path else None


def chats(provider: str, streams: bool) -> list[Recording]:
    return [one for one in some_recordings() if spoken(one) == provider and one.streams == streams]


def comparable(said: Said) -> Said:
    """Thoughts are compared apart: not every provider that has them is read by hand in the same way."""
    return Said(said.text, said.calls, said.stop, said.input, said.output)


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_recorded_answers_say_the_same_in_the_clients_format(client: str, provider: str) -> None:
    """Text, tool calls, stop reason and tokens of every recorded answer arrive as the provider reported them."""
    seen = 0
    for recording in chats(provider, streams=False):
        if recording.status != 200:
            continue
        dialogue = translation(client, provider)
        translated = json.loads(dialogue.answer(200, recording.body))
        expected, told = WHOLE[provider](recording.answer), WHOLE[client](translated)
        assert comparable(told) == comparable(expected), recording.name
        assert dialogue.complete
        assert dialogue.usage is not None
        assert dialogue.delivered >= len(expected.text.encode())
        seen += 1
    assert seen


@pytest.mark.parametrize(("client", "provider"), STREAMING_PAIRS)
def test_recorded_streams_say_the_same_in_the_clients_format(client: str, provider: str) -> None:
    """As plain answers, and however the network cuts the provider's bytes."""
    seen = 0
    for recording in chats(provider, streams=True):
        found = recording.answer
        if any("error" in event for event in found):
            continue
        dialogue = translation(client, provider, least_request(client, stream=True))
        translated = dialogue.feed(recording.body) + dialogue.finish()
        expected, told = STREAMED[provider](found), STREAMED[client](events(translated))
        assert comparable(told) == comparable(expected), recording.name
        assert told.thoughts == expected.thoughts, recording.name
        assert dialogue.complete
        assert dialogue.usage is not None
        cut = translation(client, provider, least_request(client, stream=True))
        pieces = [cut.feed(recording.body[at : at + 1]) for at in range(len(recording.body))]
        assert b"".join([*pieces, cut.finish()]) == translated, recording.name
        assert (cut.usage, cut.delivered) == (dialogue.usage, dialogue.delivered)
        seen += 1
    assert seen


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_recorded_errors_are_told_in_the_clients_format(client: str, provider: str) -> None:
    """The provider's sentence arrives, plain or at the end of a stream that then is visibly not whole."""
    for recording in chats(provider, streams=False):
        if recording.status != 200:
            translated = json.loads(translation(client, provider).error(recording.status, recording.body))
            assert translated["error"]["message"] == recording.answer["error"]["message"], recording.name
    for recording in chats(provider, streams=True):
        failures = [event["error"]["message"] for event in recording.answer if "error" in event]
        if not failures:
            continue
        dialogue = translation(client, provider, least_request(client, stream=True))
        out = dialogue.feed(recording.body)
        with pytest.raises(UpstreamFailed) as raised:
            dialogue.finish()
        assert raised.value.message == failures[0]
        assert not dialogue.complete
        out += dialogue.abort(raised.value)
        assert events(out)[-1]["error"]["message"] == failures[0]
        assert b"[DONE]" not in out
        assert b"message_stop" not in out


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_recorded_requests_are_translated_or_refused_by_name(client: str, provider: str) -> None:
    """A real request becomes one of the provider's format, or a 400 that names a member of the client's."""
    translated = 0
    for recording in some_recordings():
        if spoken(recording) != client:
            continue
        written = written_or_refused(client, provider, recording)
        if isinstance(written, InvalidRequest):
            assert written.param, recording.name
            assert written.param.split("[")[0].split(".")[0] in recording.request, recording.name
            assert written.param in written.message
        else:
            assert_well_formed(provider, written)
            translated += 1
    assert translated


def written_or_refused(client: str, provider: str, recording: Recording) -> dict[str, object] | InvalidRequest:
    try:
        return sent(client, provider, recording.request)
    except InvalidRequest as refused:
        return refused


def assert_well_formed(provider: str, body: dict[str, object]) -> None:
    """What the provider's format requires of every request."""
    if provider == GEMINI:
        assert body["contents"]
        return
    assert body["model"] == MODELS[provider]
    assert body["messages"]
    if provider == ANTHROPIC:
        assert isinstance(body["max_tokens"], int)
