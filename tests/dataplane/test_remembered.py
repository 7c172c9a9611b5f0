"""What a provider keeps of a call is told as it goes by: its answer once, and the containers in which code ran."""

import json
from typing import Any

import pytest

from headgate.dataplane.remembered import Noting, Remembered
from headgate.wire.document import Document
from headgate.wire.registry import FORMATS, open_dialogue
from tests.support.recordings import some_recordings

CONTAINER = "container_1"


def remembered(format_name: str) -> tuple[Remembered, list[str], list[str]]:
    """A dialogue with what it told: of answers, and of containers."""
    answers: list[str] = []
    containers: list[str] = []
    document = Document(b'{"model":"m","messages":[],"input":"hi","stream":true}')
    inner = open_dialogue(format_name, format_name, document, FORMATS[format_name].head(document), "m")
    return Remembered(inner, Noting(answers.append, containers.append)), answers, containers


def test_containers_of_recorded_answers_are_told() -> None:
    """As OpenAI and Anthropic wrote them; each once, and the answer besides."""
    seen: set[str] = set()
    for recording in some_recordings():
        name = {"/v1/messages": "anthropic_messages", "/v1/responses": "openai_responses"}.get(recording.path)
        if name is None or recording.streams or recording.status >= 400:
            continue
        dialogue, answers, containers = remembered(name)
        dialogue.answer(recording.status, recording.body)
        assert answers == [recording.answer["id"]]
        ran = [recording.answer.get("container")] + [
            {"id": item["container_id"]} for item in recording.answer.get("output", ()) if "container_id" in item
        ]
        assert containers == list(dict.fromkeys(each["id"] for each in ran if each))
        seen.update({name} if containers else ())
    assert seen == {"anthropic_messages", "openai_responses"}


EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic start": ("anthropic_messages", {"type": "message_start", "message": {"container": {"id": CONTAINER}}}),
    "anthropic end": ("anthropic_messages", {"type": "message_delta", "delta": {"container": {"id": CONTAINER}}}),
    "openai item": (
        "openai_responses",
        {"type": "response.output_item.done", "item": {"type": "code_interpreter_call", "container_id": CONTAINER}},
    ),
    "openai end": (
        "openai_responses",
        {"type": "response.completed", "response": {"output": [{"container_id": CONTAINER}]}},
    ),
}


@pytest.mark.parametrize("where", EVENTS)
def test_containers_of_streams_are_told_once(where: str) -> None:
    """Wherever an event has one, however the bytes are cut."""
    name, event = EVENTS[where]
    dialogue, _, containers = remembered(name)
    raw = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() * 2
    for at in range(0, len(raw), 7):
        dialogue.feed(raw[at : at + 7])
    assert containers == [CONTAINER]


@pytest.mark.parametrize("odd", [1, [], "text", {"id": 1}, None])
def test_what_is_no_container_is_not_told(odd: object) -> None:
    """Whatever a provider writes there, the answer goes through."""
    dialogue, _, containers = remembered("anthropic_messages")
    body = json.dumps({"id": "msg_1", "container": odd, "output": odd, "item": odd}).encode()
    assert dialogue.answer(200, body) == body
    assert containers == []
