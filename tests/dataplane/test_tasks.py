"""Moderation, reranking, pictures, speech and transcription: each billed in its own unit, and held for beforehand."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.stand import Stand, standing, wav

CENT = 10_000_000
BUDGET: dict[str, Any] = {"usage_limits": {"credit_limit": 1}}
MODEL = "@openai/sim-fast"
CUSTOM = "@custom/sim-fast"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """One for all tests: each names a model's price before it calls it."""
    async with standing(tmp_path_factory.mktemp("tasks")) as opened:
        yield opened


async def left_usd(stand: Stand, key: str) -> float:
    """Of the key's budget."""
    limits = (await stand.call(key, "/limits", method="GET")).json["data"]
    return float(next(each["left_usd"] for each in limits if each["resource"] == "cost"))


async def test_what_the_provider_gives_away_is_free(stand: Stand) -> None:
    """The catalog says that OpenAI's moderation costs nothing: it passes a budget, and leaves it as it is."""
    key = await stand.key(**BUDGET)
    body = {"input": "do no harm"}
    reply = await stand.call(key, "/moderations", body, headers={"x-portkey-provider": "@openai"})
    assert reply.json["model"] == "omni-moderation-latest"  # what was allowed is what was asked
    assert (await stand.record(reply)).price_id == "free"
    assert await left_usd(stand, key) == 1


async def test_moderation_without_a_known_price_is_refused(stand: Stand) -> None:
    """Free only where somebody says so."""
    body = {"model": "@openai/sim-embed", "input": "do no harm"}
    refused = await stand.call(await stand.key(**BUDGET), "/moderations", body)
    assert (refused.status, refused.json["error"]["code"]) == (412, "cost_not_bounded")
    await stand.price("sim-embed", request=0)
    reply = await stand.call(await stand.key(**BUDGET), "/moderations", body)
    assert (reply.status, reply.json["results"][0]["flagged"]) == (200, True)
    assert (await stand.record(reply)).cost == 0


async def test_reranking_costs_search_units(stand: Stand) -> None:
    """A hundred documents are one unit; long ones are held as the pieces they are cut into."""
    await stand.price("sim-fast", "custom", search_unit=0.2)
    body = {"model": CUSTOM, "query": "green tea", "documents": ["black tea", "green tea", "coffee"] * 50, "top_n": 2}
    reply = await stand.call(await stand.key(**BUDGET), "/rerank", body)
    assert reply.json["results"][0]["index"] == 1
    record = await stand.record(reply)
    assert (record.usage, record.cost, record.usage_flags) == ({"search_unit": 2}, 2 * CENT // 5, ())
    assert record.endpoint == "/v1/rerank"
    long = {**body, "documents": ["word " * 40_000]}
    poor = await stand.key(usage_limits={"credit_limit": 1})
    await stand.price("sim-fast", "custom", search_unit=30)
    refused = await stand.call(poor, "/rerank", long)
    assert (refused.status, refused.json["error"]["code"]) == (412, "04")


PICTURES = {
    "default": {"default": {"price": 4}, "1024x1792": {"price": 8}},
    "hd": {"default": {"price": 8}, "1024x1792": {"price": 12}},
}


@pytest.mark.parametrize(
    ("asked", "meter", "cents"),
    [
        ({"quality": "hd", "size": "1024x1792"}, "image:hd:1024x1792", 12),
        ({"quality": "hd", "size": "512x512"}, "image:hd:default", 8),
        ({"quality": "standard", "size": "512x512"}, "image:default:default", 4),
        ({}, "image:hd:1024x1792", 12),
        ({"quality": "auto", "size": "512x512"}, "image:hd:default", 8),
    ],
)
async def test_pictures_cost_by_quality_and_size(stand: Stand, asked: dict[str, str], meter: str, cents: int) -> None:
    """What the request leaves open is charged as the dearest that it could be."""
    await stand.price("sim-fast", image=PICTURES)
    body = {"model": MODEL, "prompt": "a gate", "n": 2, **asked}
    reply = await stand.call(await stand.key(**BUDGET), "/images/generations", body)
    assert len(reply.json["data"]) == 2
    record = await stand.record(reply)
    assert (record.usage[meter], record.cost, record.usage_flags) == (2, 2 * cents * CENT, ())


async def test_pictures_that_do_not_fit_are_refused(stand: Stand) -> None:
    """All that are asked for, together, before one is made."""
    await stand.price("sim-fast", image=PICTURES)
    body = {"model": MODEL, "prompt": "a gate", "n": 9}
    refused = await stand.call(await stand.key(**BUDGET), "/images/generations", body)
    assert (refused.status, refused.json["error"]["code"]) == (412, "04")
    assert refused.headers["x-headgate-request-id"] not in stand.bills()


async def test_a_size_without_a_price_is_refused(stand: Stand) -> None:
    """No free sizes, either."""
    await stand.price("sim-fast", image={"low": {"256x256": {"price": 1}}})
    body = {"model": MODEL, "prompt": "a gate", "quality": "high", "size": "256x256"}
    refused = await stand.call(await stand.key(**BUDGET), "/images/generations", body)
    assert (refused.status, refused.json["error"]["code"]) == (412, "cost_not_bounded")


async def test_pictures_by_tokens_need_a_known_bound(stand: Stand) -> None:
    """Where nobody knows how many tokens a picture counts the call is refused under a budget, else billed."""
    await stand.price("sim-fast", request_token=0.001, response_image_token=0.004)
    body = {"model": MODEL, "prompt": "a gate"}
    refused = await stand.call(await stand.key(**BUDGET), "/images/generations", body)
    assert (refused.status, refused.json["error"]["code"]) == (412, "cost_not_bounded")
    reply = await stand.call(await stand.key(), "/images/generations", body)
    record = await stand.record(reply)
    assert record.usage == {"image": 1, "input": 2, "output_image": 272}
    assert record.cost == (2 + 4 * 272) * CENT // 1000


async def test_a_stream_of_a_picture(stand: Stand) -> None:
    """Event by event, and billed by what the last one says."""
    await stand.price("sim-fast", image=PICTURES)
    body = {"model": MODEL, "prompt": "a gate", "stream": True, "partial_images": 1, "quality": "hd", "size": "1x1"}
    reply = await stand.call(await stand.key(**BUDGET), "/images/generations", body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert b"event: image_generation.completed" in reply.body
    assert (await stand.record(reply)).cost == 8 * CENT


async def test_pictures_from_pictures(stand: Stand) -> None:
    """Forms pass as they came, but for the model's name."""
    await stand.price("sim-fast", image=PICTURES)
    fields = {"model": MODEL, "prompt": "a wider gate", "n": 2, "quality": "hd", "size": "1x1", "image[]": [b"a", b"b"]}
    reply = await stand.form(await stand.key(**BUDGET), "/images/edits", fields)
    assert len(reply.json["data"]) == 2
    record = await stand.record(reply)
    assert (record.usage["input_image"], record.cost) == (2 * 85, 16 * CENT)
    reply = await stand.form(await stand.key(**BUDGET), "/images/variations", {"model": MODEL, "image": b"a"})
    assert (await stand.record(reply)).cost == 12 * CENT


async def test_speech_is_charged_by_the_character(stand: Stand) -> None:
    """And comes as the provider makes it, under the provider's own content type."""
    await stand.price("sim-fast", character=0.01)
    body = {"model": MODEL, "voice": "alloy", "input": "Wasser fließt."}
    reply = await stand.call(await stand.key(**BUDGET), "/audio/speech", body)
    assert (reply.status, reply.headers["content-type"]) == (200, "audio/mpeg")
    assert reply.body.startswith(b"ID3")
    assert len(reply.body) == 4 + 15 * 1000
    record = await stand.record(reply)
    assert (record.usage, record.usage_source, record.cost) == ({"character": 14}, "counted", 14 * CENT // 100)
    streamed = await stand.call(await stand.key(**BUDGET), "/audio/speech", {**body, "stream_format": "sse"})
    assert b"speech.audio.done" in streamed.body
    assert (await stand.record(streamed)).cost == 14 * CENT // 100


async def test_speech_that_breaks_off_is_never_taken_for_whole(stand: Stand) -> None:
    """The connection ends without the end of the answer; what was held is what it cost."""
    await stand.price("sim-cut-mid-stream", character=0.01)
    body = {"model": "@openai/sim-hang-up", "voice": "alloy", "input": "hello"}
    await stand.price("sim-hang-up", character=0.01)
    reply = await stand.call(await stand.key(**BUDGET), "/audio/speech", body)
    assert reply.status == 502
    assert (await stand.record(reply)).cost == 5 * CENT // 100


async def test_transcription_is_charged_by_the_second(stand: Stand) -> None:
    """Plain WAV says how long it is: that is what is held. What the provider says is what is charged."""
    await stand.price("sim-fast", audio_second=1)
    fields = {"model": MODEL, "file": wav(2.5)}
    reply = await stand.form(await stand.key(**BUDGET), "/audio/transcriptions", fields)
    assert reply.json["text"] == "the recording says hello"
    record = await stand.record(reply)
    assert (record.usage, record.usage_source) == ({"audio_second": 41}, "provider")
    too_long = {"model": MODEL, "file": wav(101)}
    refused = await stand.form(await stand.key(**BUDGET), "/audio/translations", too_long)
    assert (refused.status, refused.json["error"]["code"]) == (412, "04")


async def test_text_alone_tells_no_seconds(stand: Stand) -> None:
    """Then what the recording says of itself is charged; a recording that does not say is refused."""
    await stand.price("sim-fast", audio_second=1)
    fields = {"model": MODEL, "file": wav(2.5), "response_format": "text"}
    reply = await stand.form(await stand.key(**BUDGET), "/audio/transcriptions", fields)
    assert (reply.headers["content-type"], reply.body) == ("text/plain; charset=utf-8", b"the recording says hello\n")
    record = await stand.record(reply)
    assert (record.usage, record.usage_source) == ({"audio_second": 3}, "counted")
    opaque = {**fields, "file": b"OggS" + bytes(1000)}
    refused = await stand.form(await stand.key(), "/audio/transcriptions", opaque)
    assert (refused.status, refused.json["error"]["param"]) == (400, "response_format")


async def test_sound_of_unknown_length_needs_another_price(stand: Stand) -> None:
    """Under a budget: it is refused by the second, and taken by the call."""
    await stand.price("sim-fast", audio_second=1)
    fields = {"model": MODEL, "file": b"OggS" + bytes(1000)}
    refused = await stand.form(await stand.key(**BUDGET), "/audio/transcriptions", fields)
    assert (refused.status, refused.json["error"]["code"]) == (412, "cost_not_bounded")
    await stand.price("sim-fast", request=7)
    reply = await stand.form(await stand.key(**BUDGET), "/audio/transcriptions", fields)
    assert (await stand.record(reply)).cost == 7 * CENT


async def test_a_stream_of_a_transcription(stand: Stand) -> None:
    """The last event tells what it used."""
    await stand.price("sim-fast", audio_second=1)
    fields = {"model": MODEL, "file": wav(1), "stream": "true"}
    reply = await stand.form(await stand.key(**BUDGET), "/audio/transcriptions", fields)
    assert b"transcript.text.done" in reply.body
    assert (await stand.record(reply)).usage == {"audio_second": 17}


async def test_no_usage_is_charged_as_held(stand: Stand) -> None:
    """A provider that says nothing is never free."""
    await stand.price("sim-no-usage", "custom", search_unit=1)
    body = {"model": "@custom/sim-no-usage", "query": "tea", "documents": ["tea"]}
    reply = await stand.call(await stand.key(**BUDGET), "/rerank", body)
    record = await stand.record(reply)
    assert (record.usage_source, record.cost) == ("estimated", CENT)


async def test_a_model_that_is_not_allowed_is_refused(stand: Stand) -> None:
    """In a form as in JSON, before anything is sent."""
    await stand.admin("PUT", "/integrations/openai/models", {"models": [{"slug": "sim-fast", "enabled": False}]})
    key = await stand.key()
    reply = await stand.form(key, "/audio/transcriptions", {"model": MODEL, "file": wav(1)})
    assert (reply.status, reply.json["error"]["code"]) == (412, "model_not_allowed")
    reply = await stand.call(key, "/images/generations", {"model": MODEL, "prompt": "a gate"})
    assert reply.status == 412
    assert reply.headers["x-headgate-request-id"] not in stand.bills()
    await stand.admin("PUT", "/integrations/openai/models", {"models": [{"slug": "sim-fast", "enabled": True}]})


async def test_without_a_form_it_is_said_what_is_wanted(stand: Stand) -> None:
    """JSON to an endpoint of forms."""
    reply = await stand.call(await stand.key(), "/audio/transcriptions", {"model": MODEL})
    assert (reply.status, reply.json["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("more", [{}, {"response_format": "text"}, {"stream": "true"}], ids=["json", "text", "stream"])
async def test_what_was_heard_is_checked_as_an_answer_is(stand: Stand, more: dict[str, str]) -> None:
    """In whichever shape it comes; it is paid for, and nothing of it goes out."""
    await stand.price("sim-fast", audio_second=1)
    checks = [{"id": "default.contains", "parameters": {"words": ["hello"], "operator": "none"}}]
    body = {"name": f"no hello {more}", "checks": checks, "actions": {"deny": True}}
    made = await stand.admin("POST", "/guardrails", body)
    config = {"name": "guarded", "config": {"output_guardrails": [made["id"]]}}
    slug = (await stand.admin("POST", "/configs", config))["slug"]
    key = await stand.key(defaults={"config_id": slug})
    fields = {"model": MODEL, "file": wav(2.5), **more}
    reply = await stand.form(key, "/audio/transcriptions", fields)
    assert (reply.status, reply.json["error"]["details"]["guardrail"]) == (446, made["slug"])
    assert b"recording" not in reply.body
    record = await stand.record(reply)
    assert (record.outcome, record.usage["audio_second"] > 0) == ("denied", True)
    spoken = await stand.form(key, "/audio/translations", fields)
    assert spoken.status == 446
