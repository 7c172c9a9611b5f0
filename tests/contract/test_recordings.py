"""Every recording of real provider traffic, served by a loopback upstream, through the whole gateway.

Where client and provider speak one format the answer is the provider's, byte for byte, and the request is the client's
but for the named changes. Where they do not, the official SDK of the client's format reads what the provider said. In
both, the usage record holds the provider's own numbers.
"""

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.gateway import Gateway, Provider, started
from tests.support.http import Answer
from tests.support.recorded_upstream import Received, RecordedUpstream, serving_recordings
from tests.support.recordings import Recording, some_recordings
from tests.support.sdk import run_script
from tests.support.told import told

PROVIDERS = {
    "anthropic": ("anthropic", "/v1"),
    "cerebras": ("cerebras", "/v1"),
    "cohere": ("cohere", "/v2"),
    "deepseek": ("deepseek", ""),
    "gemini": ("google", "/v1beta"),
    "gemini-openai": ("openai-compatible", "/v1beta/openai"),
    "groq": ("groq", "/openai/v1"),
    "mistral": ("mistral-ai", "/v1"),
    "openai": ("openai", "/v1"),
    "openrouter": ("openrouter", "/api/v1"),
    "zai": ("zai", "/api/paas/v4"),
}
"""Slug of the integration: the catalog's provider id and the path of its base URL."""

TRANSLATED_ONLY = {"gemini", "cohere"}
"""Whose formats no client of the gateway speaks."""

CLIENT_PATHS = {
    "/chat/completions": "/v1/chat/completions",
    "/responses": "/v1/responses",
    "/embeddings": "/v1/embeddings",
    "/messages": "/v1/messages",
}
ADDED = {"stream_options", "max_tokens", "max_completion_tokens", "max_output_tokens"}
"""What the gateway may add to a request of the same format: usage at the end, and the output limit its bound needs."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A gateway whose providers answer with recordings."""

    gateway: Gateway
    upstream: RecordedUpstream
    key: str


@pytest.fixture(scope="session")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    by_number = {f"rec-{number}": recording for number, recording in enumerate(some_recordings())}

    def by_model(received: Received) -> Recording:
        return by_number[received.model]

    with (
        serving_recordings(by_model) as upstream,
        started(tmp_path_factory.mktemp("recordings")) as gateway,
    ):
        workspace = gateway.workspace("recordings")
        for slug, (kind, path) in PROVIDERS.items():
            gateway.integrate(Provider(slug, kind, upstream.url + path, []), [workspace])
        yield Replay(gateway, upstream, gateway.key(workspace))


def slug_of(recording: Recording) -> str:
    return "gemini-openai" if "/v1beta/openai/" in recording.path else recording.provider


def client_path(recording: Recording) -> str | None:
    """Where a client of the recording's own format sends it; None if the gateway has no such door."""
    return next((path for ending, path in CLIENT_PATHS.items() if recording.path.endswith(ending)), None)


def same_format_fault(replay: Replay, recording: Recording) -> tuple[Answer, str | None]:
    """The answer, and what is wrong with how the recording came through; None if nothing is."""
    path = client_path(recording)
    assert path is not None
    model = recording.request["model"]
    before = len(replay.upstream.received)
    answer = replay.gateway.post(path, {**recording.request, "model": f"@{slug_of(recording)}/{model}"}, replay.key)
    return answer, _passing_fault(replay.upstream.received[before:], answer, recording)


def _passing_fault(received: list[Received], answer: Answer, recording: Recording) -> str | None:
    if len(received) != 1:
        return f"the provider was asked {len(received)} times; the client got {answer.status} {answer.body[:300]!r}"
    if received[0].path != recording.path:
        return f"sent to {received[0].path}"
    sent, asked = received[0].body, recording.request
    if changed := [name for name in {*sent, *asked} - ADDED if sent.get(name) != asked.get(name)]:
        return f"changed on the way up: {sorted(changed)}"
    if answer.status != recording.status:
        return f"{answer.status} instead of {recording.status}: {answer.body[:300]!r}"
    return None if answer.body == recording.body else f"the answer differs: {_difference(answer.body, recording.body)}"


def _difference(got: bytes, wanted: bytes) -> str:
    at = next((i for i, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), min(len(got), len(wanted)))
    return f"at byte {at} {got[max(0, at - 40) : at + 80]!r} instead of {wanted[max(0, at - 40) : at + 80]!r}"


def _usage_fault(replay: Replay, request_id: str | None, recording: Recording) -> str | None:
    record = replay.gateway.record(request_id)
    got = (record["input_tokens"], record["output_tokens"])
    if recording.status >= 400:
        return None if got == (0, 0) else f"an error was recorded with usage {got}"
    usage = told(recording).usage
    if usage is None:
        return None if record["usage_source"] == "estimated" else "no usage was told, and the record is not estimated"
    if got != usage:
        return f"usage {got} ({record['usage_source']}) instead of {usage}"
    return None if record["usage_source"] == "provider" else "usage was told, and the record is estimated"


@pytest.mark.parametrize("slug", [slug for slug in PROVIDERS if slug not in TRANSLATED_ONLY])
def test_a_recording_of_the_clients_own_format_is_untouched(replay: Replay, slug: str) -> None:
    """The same bytes both ways apart from the named changes, and the provider's own token counts in the record."""
    mine = [recording for recording in some_recordings() if slug_of(recording) == slug and client_path(recording)]
    mine = [recording for recording in mine if not names_what_was_made_before(recording)]
    replay.upstream.choose = lambda received: current
    faults, answers = {}, {}
    for current in mine:
        answers[current], fault = same_format_fault(replay, current)
        if fault is not None:
            faults[current.name] = fault
    for recording, answer in answers.items():
        request_id = answer.header("x-headgate-request-id")
        if recording.name not in faults and (fault := _usage_fault(replay, request_id, recording)) is not None:
            faults[recording.name] = fault
    assert mine
    assert not faults, report(faults, len(mine))


def names_what_was_made_before(recording: Recording) -> bool:
    """Files, responses and conversations that no call of ours has made."""
    named = r'"(file_id|previous_response_id)": ?"|"file_ids": ?\["'
    return "conversation" in recording.request or re.search(named, json.dumps(recording.request)) is not None


def test_what_was_not_made_here_is_not_to_be_named(replay: Replay) -> None:
    """A file or a response of somebody else's account: refused before the provider is asked."""
    naming = [each for each in some_recordings() if client_path(each) and names_what_was_made_before(each)]
    assert naming
    for recording in naming:
        before = len(replay.upstream.received)
        answer, _ = same_format_fault(replay, recording)
        assert (answer.status, len(replay.upstream.received)) == (404, before), recording.name


def report(faults: dict[str, str], tried: int) -> str:
    return "\n".join([f"{len(faults)} of {tried}:", *(f"{name}: {fault}" for name, fault in faults.items())])


def translatable(recording: Recording, client: str) -> bool:
    """Whether a chat client of the other format can be answered with this recording."""
    if recording.status >= 300:
        return False
    if recording.path.endswith("/v2/chat"):
        return True
    if recording.path.endswith("/messages"):
        return client == "openai"
    if recording.path.endswith("/chat/completions"):
        return client == "anthropic"
    return ":generateContent" in recording.path or ":streamGenerateContent" in recording.path


def reading_fault(replay: Replay, recording: Recording, answer: dict[str, Any]) -> str | None:
    """What the SDK read, or the usage record holds, that the provider did not say; None if it is all the same."""
    said = told(recording)
    if said.error:
        return None if said.error in str(answer.get("error")) else f"{answer} instead of the provider's error"
    if "error" in answer:
        return str(answer["error"])
    if answer["text"] != said.text:
        return f"text {answer['text'][:100]!r} instead of {said.text[:100]!r}"
    calls = [(name, json.loads(given or "{}") if isinstance(given, str) else given) for name, given in answer["calls"]]
    if calls != said.calls:
        return f"calls {calls} instead of {said.calls}"
    if said.usage is not None and tuple(answer["usage"]) != said.usage:
        return f"usage {answer['usage']} instead of {said.usage}"
    return _usage_fault(replay, answer["request_id"], recording) if answer["finish"] else "no finish reason"


@pytest.mark.parametrize("client", ["openai", "anthropic"])
def test_a_recording_of_another_format_is_readable_by_the_clients_sdk(replay: Replay, client: str) -> None:
    """Text, tool calls, usage and the reason it ended, as the provider said them, through the client's official SDK."""
    numbered = dict(enumerate(some_recordings()))
    mine = {number: recording for number, recording in numbered.items() if translatable(recording, client)}
    replay.upstream.choose = lambda received: numbered[int(received.model.removeprefix("rec-"))]
    calls = [(f"@{slug_of(recording)}/rec-{number}", recording.streams) for number, recording in mine.items()]
    base_url = f"{replay.gateway.url}/v1"
    found = run_script(client, f"read_with_{client}.py", base_url=base_url, key=replay.key, calls=calls)
    faults = {
        recording.name: fault
        for recording, answer in zip(mine.values(), found["answers"], strict=True)
        if (fault := reading_fault(replay, recording, answer)) is not None
    }
    assert mine
    assert not faults, report(faults, len(mine))


def embedding_fault(recording: Recording, numbers: dict[str, Any], decoded: dict[str, Any]) -> str | None:
    """What the SDK read that the provider did not say, asking for numbers and asking as it does by itself."""
    said = [embedding["values"] for embedding in recording.answer["embeddings"]]
    if numbers["values"] != said:
        return "other numbers"
    if [as_float32(values) for values in decoded["values"]] != [as_float32(values) for values in said]:
        return "other numbers in base64"
    usage = told(recording).usage
    counted = None if usage is None else usage[0]
    found = [(answer["order"], answer["usage"]) for answer in (numbers, decoded)]
    return None if found == [(list(range(len(said))), counted)] * 2 else f"{found} instead of {counted} tokens"


def as_float32(values: list[float]) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def test_geminis_embeddings_are_readable_by_openais_sdk(replay: Replay) -> None:
    """Every number in its place, in both encodings; the provider's count in answer and record, where it gave one."""
    mine = {n: one for n, one in enumerate(some_recordings()) if one.path.endswith(":batchEmbedContents")}
    replay.upstream.choose = lambda received: some_recordings()[int(received.model.removeprefix("rec-"))]
    calls = [
        (
            f"@gemini/rec-{number}",
            [request["content"]["parts"][0]["text"] for request in recording.request["requests"]],
            recording.request["requests"][0].get("outputDimensionality"),
        )
        for number, recording in mine.items()
    ]
    base_url = f"{replay.gateway.url}/v1"
    found = run_script("openai", "read_embeddings.py", base_url=base_url, key=replay.key, calls=calls)
    faults = {}
    for recording, (numbers, decoded) in zip(mine.values(), found["answers"], strict=True):
        records = [_usage_fault(replay, answer["request_id"], recording) for answer in (numbers, decoded)]
        if fault := embedding_fault(recording, numbers, decoded) or records[0] or records[1]:
            faults[recording.name] = fault
    assert mine
    assert not faults, report(faults, len(mine))
