"""OpenAI's embeddings by Gemini: every input in its place, in the encoding that was asked for."""

import base64
import json
import struct
from typing import Any

import pytest

from headgate.base.errors import InvalidRequest, UpstreamFailed
from headgate.wire.document import Document
from headgate.wire.gemini_embeddings import GeminiEmbeddings
from headgate.wire.openai_embeddings import OpenAIEmbeddings
from headgate.wire.registry import open_dialogue, speaks
from tests.support.recordings import some_recordings

MODEL = "gemini-embedding-2"
CLIENT, PROVIDER = "openai_embeddings", "gemini_embeddings"


def opened(**members: Any) -> GeminiEmbeddings:
    return GeminiEmbeddings(Document(json.dumps({"model": "m", "input": "a", **members}).encode()), MODEL)


def sent(**members: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(opened(**members).request().body)
    return body


def answered(*embeddings: list[float], **members: Any) -> bytes:
    return json.dumps({"embeddings": [{"values": values} for values in embeddings], **members}).encode()


@pytest.mark.parametrize("model", [MODEL, f"models/{MODEL}"])
def test_each_input_is_a_request_of_the_batch(model: str) -> None:
    """In their order, each with the model and the dimensions; labels are left out."""
    request = {"model": "m", "input": ["a", "b"], "dimensions": 768, "user": "u", "metadata": {"team": "x"}}
    dialogue = GeminiEmbeddings(Document(json.dumps(request).encode()), model)
    assert json.loads(dialogue.request().body) == {
        "requests": [
            {"model": f"models/{MODEL}", "content": {"parts": [{"text": text}]}, "outputDimensionality": 768}
            for text in ("a", "b")
        ]
    }
    assert sent(input="a") == {"requests": [{"model": f"models/{MODEL}", "content": {"parts": [{"text": "a"}]}}]}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": [1, 2]}, "input"),
        ({"input": [[1, 2], [3]]}, "input"),
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"input": {"text": "a"}}, "input"),
        ({"input": ["a", 5]}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"brand_new": 1}, "brand_new"),
    ],
)
def test_what_gemini_cannot_embed_is_refused_by_name(members: dict[str, Any], param: str) -> None:
    """Tokens of OpenAI's models mean nothing to Gemini, and nothing is left out in silence."""
    with pytest.raises(InvalidRequest) as refused:
        opened(**members)
    assert refused.value.param == param
    assert f"`{param}`" in refused.value.message


def test_the_answer_is_openais_list() -> None:
    """As numbers, in the order of the inputs, with what the provider counted."""
    dialogue = opened(input=["a", "b"])
    usage = {"promptTokenCount": 7, "promptTokenDetails": [{"modality": "TEXT", "tokenCount": 7}]}
    assert json.loads(dialogue.answer(200, answered([0.1, -2.5e-05], [1, 0], usageMetadata=usage))) == {
        "object": "list",
        "model": MODEL,
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.1, -2.5e-05]},
            {"object": "embedding", "index": 1, "embedding": [1.0, 0.0]},
        ],
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }
    assert dialogue.usage is not None
    assert dialogue.usage.counts == {"input": 7}
    assert json.loads(dialogue.usage.raw) == usage
    assert dialogue.complete
    assert not dialogue.hidden_tokens


def test_base64_is_of_little_endian_floats() -> None:
    """What OpenAI's SDKs ask for and decode unless told otherwise."""
    answer = json.loads(opened(encoding_format="base64").answer(200, answered([0.5, -1.25, 3])))
    assert struct.unpack("<3f", base64.b64decode(answer["data"][0]["embedding"])) == (0.5, -1.25, 3.0)


def test_usage_that_was_not_told_is_not_made_up() -> None:
    """Older models tell none; the record is then marked as estimated, and the answer is silent."""
    dialogue = opened()
    assert "usage" not in json.loads(dialogue.answer(200, answered([0.5])))
    assert dialogue.usage is None
    assert dialogue.complete


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"embeddings":[]}',
        answered([0.1], [0.2]),
        b'{"embeddings":[{"values":["a"]}]}',
        b'{"embeddings":[{"values":[1e300]}]}',
    ],
)
def test_what_is_no_answer_is_an_upstream_failure(body: bytes) -> None:
    """No JSON, another shape, more or fewer embeddings than inputs, numbers that the encoding cannot hold."""
    dialogue = opened(encoding_format="base64")
    with pytest.raises(UpstreamFailed):
        dialogue.answer(200, body)
    assert not dialogue.complete


def test_an_error_is_told_in_openais_words() -> None:
    """With the provider's own sentence."""
    error = b'{"error":{"code":400,"message":"at most 100 requests can be in one batch","status":"INVALID_ARGUMENT"}}'
    told = json.loads(opened().error(400, error))["error"]
    assert told["message"] == "at most 100 requests can be in one batch"
    assert told["type"] == "invalid_request_error"


def test_a_stream_of_embeddings_is_an_upstream_failure() -> None:
    """There is no such thing."""
    dialogue = opened()
    assert dialogue.feed(b'data: {"embeddings":[]}\n\n') == b""
    with pytest.raises(UpstreamFailed) as raised:
        dialogue.finish()
    assert raised.value.message.encode() in dialogue.abort(raised.value)
    assert dialogue.cut() == b""


def test_the_dialogue_joins_these_two_formats_and_no_others() -> None:
    """Never for a client of chat, nor for embeddings by a provider's chat; overrides are read with the request."""
    assert speaks(CLIENT, PROVIDER)
    assert not any(speaks(client, PROVIDER) for client in ("openai_chat", "anthropic_messages", PROVIDER))
    assert not any(speaks(CLIENT, provider) for provider in ("gemini", "gemini_stream", "cohere_chat"))
    document = Document(b'{"model":"m","input":"a"}')
    head = OpenAIEmbeddings().head(document)
    dialogue = open_dialogue(CLIENT, PROVIDER, document, head, MODEL, overrides={"dimensions": b"5"})
    assert json.loads(dialogue.request().body)["requests"][0]["outputDimensionality"] == 5


def test_recorded_embeddings_come_through() -> None:
    """Every value and every count, and the request that asks for them but for Google's own task types."""
    recorded = [one for one in some_recordings() if one.path.endswith(":batchEmbedContents")]
    assert recorded
    for recording in recorded:
        requests = recording.request["requests"]
        texts = [request["content"]["parts"][0]["text"] for request in requests]
        size = requests[0].get("outputDimensionality")
        dialogue = opened(input=texts) if size is None else opened(input=texts, dimensions=size)
        told = json.loads(dialogue.answer(200, recording.body))
        values = [embedding["values"] for embedding in recording.answer["embeddings"]]
        assert [item["embedding"] for item in told["data"]] == values, recording.name
        counted = recording.answer.get("usageMetadata")
        assert (dialogue.usage is None) == (counted is None), recording.name
        if counted is not None:
            assert told["usage"]["prompt_tokens"] == counted["promptTokenCount"], recording.name
        plain = [{name: value for name, value in one.items() if name not in ("taskType", "model")} for one in requests]
        written = json.loads(dialogue.request().body)["requests"]
        assert [{name: one[name] for name in one if name != "model"} for one in written] == plain, recording.name
