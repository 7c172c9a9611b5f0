"""The upper bound of a request: it holds for whatever a provider can report, and is exact where it can be."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.base import usage as meters
from headgate.base.errors import UpstreamFailed
from headgate.base.usage import Usage, UsageSource
from headgate.catalog.bound import UNSEEN_OUTPUT, Bound, bound_of, estimate_without_usage
from headgate.catalog.catalog import Catalog
from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Price, Rates, cost_of
from headgate.wire.document import Document
from headgate.wire.registry import FORMATS, open_dialogue
from tests.support.recordings import Recording, in_pieces, some_recordings

CATALOG = Catalog.load()
USD = 1_000_000_000
NOW = 1_795_000_000 * USD
FACTS = ModelFacts("openai", "m", context_window=100_000, max_output=1_000)
PRICE = Price("p", "openai", "m", Rates({meters.INPUT: 2 * USD, meters.OUTPUT: 8 * USD}))
PIXEL = "iVBORw0KGgo" * 2_000


def bound(
    request: dict[str, Any],
    format_name: str = "openai_chat",
    *,
    provider: str = "openai",
    model: str = "m",
    facts: ModelFacts | None = FACTS,
    price: Price | None = PRICE,
) -> Bound:
    document = Document(json.dumps({"model": model, **request}, ensure_ascii=False).encode())
    spec = CATALOG.provider(provider)
    assert spec is not None
    head = FORMATS[format_name].head(document)
    return bound_of(format_name, document, head, spec=spec, model=model, facts=facts, price=price)


def chat(*parts: dict[str, Any] | str, **members: Any) -> dict[str, Any]:
    content: Any = parts[0] if len(parts) == 1 and isinstance(parts[0], str) else list(parts)
    return {"messages": [{"role": "user", "content": content}], **members}


def size(request: dict[str, Any]) -> int:
    return len(json.dumps({"model": "m", **request}, ensure_ascii=False).encode())


# Input


@given(st.text(max_size=300))
def test_text_is_bounded_by_its_bytes(text: str) -> None:
    """Whatever the text, escapes included, its UTF-8 bytes fit into the bound: no tokenizer makes more of it."""
    assert bound(chat(text)).input_tokens >= len(text.encode("utf-8", "replace"))


def test_the_context_window_is_the_most() -> None:
    """More input than the model can read is never billed."""
    assert bound(chat("x" * 500_000)).input_tokens == 100_000


def test_a_batch_is_not_one_context() -> None:
    """Every text of an embeddings request has the whole context window to itself, so nothing caps their sum."""
    request = {"input": ["x" * 90_000] * 3}
    assert bound(request, "openai_embeddings").input_tokens > 270_000


def test_an_image_counts_by_the_provider_s_rule() -> None:
    """Its base64 is not text: 22 kB of it count as one image, inline or by address."""
    inline = chat({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}})
    linked = chat({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})
    for request in (inline, linked):
        assert 1_445 < bound(request, model="gpt-4o").input_tokens < 2_000
    anthropic = {
        "max_tokens": 10,
        "messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": PIXEL}}]}],
    }
    assert 4_784 < bound(anthropic, "anthropic_messages", provider="anthropic").input_tokens < 5_500


def test_what_looks_like_an_image_in_a_tool_call_is_text() -> None:
    """The arguments of a tool call are read by the model as text, so their bytes stay counted."""
    block = {"type": "tool_use", "id": "t", "name": "n", "input": {"source": {"type": "base64", "data": PIXEL}}}
    request = {"max_tokens": 10, "messages": [{"role": "assistant", "content": [block]}]}
    assert bound(request, "anthropic_messages", provider="anthropic").input_tokens > len(PIXEL)


@pytest.mark.parametrize(
    "request_",
    [
        chat({"type": "file", "file": {"file_id": "f-1"}}),
        chat({"type": "video_url", "video_url": {"url": "https://example.com/v.mp4"}}),
        chat({"type": "unheard_of"}),
        chat("hi", previous_response_id="resp_1"),
    ],
)
def test_what_is_kept_elsewhere_can_fill_the_context(request_: dict[str, Any]) -> None:
    """Files, videos, stored conversations and parts nobody knows count as the whole context window."""
    assert bound(request_).input_tokens == 100_000
    unknown = bound(request_, facts=None)
    assert "context window of the model is not known" in unknown.tokens_unbounded
    assert unknown.unbounded == unknown.tokens_unbounded


@pytest.mark.parametrize(
    ("format_name", "member"),
    [("openai_chat", "messages"), ("anthropic_messages", "messages"), ("openai_responses", "input")],
)
@pytest.mark.parametrize("kind", [["text"], {"text": 1}])
def test_parts_whose_type_is_no_text_can_fill_the_context(format_name: str, member: str, kind: object) -> None:
    """They are parts that nobody knows."""
    message = {"role": "user", "content": [{"type": kind, "text": "hi"}]}
    assert bound({"max_tokens": 10, member: [message]}, format_name).input_tokens == 100_000
    assert format_name != "openai_responses" or bound({"input": [{"type": kind}]}, format_name).input_tokens == 100_000


def test_a_thread_that_goes_on_can_fill_the_context() -> None:
    """Anthropic's server holds what was said before. One that begins holds nothing yet."""
    request = {"max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
    begun = bound(request | {"thread": {"type": "create"}}, "anthropic_messages", provider="anthropic")
    assert begun.input_tokens < 1_000
    thread = {"type": "continue", "previous_message_id": "msg_1"}
    goes_on = bound(request | {"thread": thread}, "anthropic_messages", provider="anthropic")
    assert goes_on.input_tokens == 100_000


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "msg_1"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"role": "user", "content": [{"type": "input_file", "file_id": "f-1"}]},
    ],
)
def test_responses_can_name_what_is_kept_elsewhere(item: dict[str, Any]) -> None:
    """An item by its id, reasoning that the provider kept, a file."""
    assert bound({"input": [item]}, "openai_responses").input_tokens == 100_000


def test_plain_responses_items_are_text() -> None:
    """Messages, tool calls, their results and encrypted reasoning are bounded by their bytes."""
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "reasoning", "encrypted_content": "gAAAA", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "ok"},
    ]
    assert bound({"input": items}, "openai_responses").input_tokens < 1_000


# Output


def test_the_output_limit_comes_from_request_model_or_gateway() -> None:
    """In this order; only the gateway's own has to be sent."""
    limited, by_model = bound(chat("hi", max_tokens=7, n=3)), bound(chat("hi"))
    by_gateway = bound(chat("hi", n=2), facts=None)
    assert (limited.output_tokens, limited.needs_output_limit) == (21, None)
    assert (by_model.output_tokens, by_model.needs_output_limit) == (1_000, None)
    assert (by_gateway.output_tokens, by_gateway.needs_output_limit) == (32_768, 16_384)


def test_completions_answer_every_prompt() -> None:
    """Every prompt of a list is answered, and `best_of` answers are all billed; token ids are one prompt."""
    several = {"prompt": ["a", "b"], "best_of": 4, "n": 1, "max_tokens": 10}
    assert bound(several, "openai_completions").output_tokens == 80
    assert bound({"prompt": [1, 2, 3], "max_tokens": 10}, "openai_completions").output_tokens == 10


def test_embeddings_have_no_output() -> None:
    """Nothing is generated, so nothing is held for it and no limit is sent."""
    embedding = bound({"input": "hi"}, "openai_embeddings", facts=None)
    assert (embedding.output_tokens, embedding.needs_output_limit) == (0, None)
    assert [line.meter for line in embedding.cost.lines] == [meters.INPUT]


def test_thinking_may_exceed_max_tokens() -> None:
    """Anthropic's budget for interleaved thinking counts where it is the larger."""
    request = {"max_tokens": 100, "thinking": {"type": "enabled", "budget_tokens": 5_000}, "messages": []}
    assert bound(request, "anthropic_messages", provider="anthropic").output_tokens == 5_000


# Tools


def test_own_tools_add_a_hidden_prompt() -> None:
    """The bytes of the schemas and the provider's allowance for the prompt that explains them."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    request = chat("hi", tools=[tool])
    assert bound(request).input_tokens == size(request) + 64 + 1_024


def test_searches_are_bounded_by_their_number() -> None:
    """`max_uses` searches cost their fee, and each lets the model read its whole context again."""
    request = {
        "max_tokens": 10,
        "messages": [],
        "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 2}],
    }
    price = CATALOG.price("anthropic", "claude-haiku-4-5", NOW)
    facts = CATALOG.model("anthropic", "claude-haiku-4-5")
    searching = bound(request, "anthropic_messages", provider="anthropic", price=price, facts=facts)
    assert (searching.input_tokens, searching.output_tokens, searching.unbounded) == (600_000, 30, "")
    assert searching.cost_nanos == 600_000 * 1_000 + 30 * 5_000 + 2 * 10_000_000


@pytest.mark.parametrize(
    ("format_name", "provider", "members"),
    [
        ("anthropic_messages", "anthropic", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
        ("anthropic_messages", "anthropic", {"tools": [{"type": "code_execution_20250825", "name": "c"}]}),
        ("anthropic_messages", "anthropic", {"tools": [{"type": "advisor_20260301", "name": "a", "model": "x"}]}),
        ("anthropic_messages", "anthropic", {"mcp_servers": [{"url": "https://example.com"}]}),
        ("openai_responses", "openai", {"tools": [{"type": "web_search"}], "input": "hi"}),
        ("openai_responses", "openai", {"tools": [{"type": "code_interpreter"}], "max_tool_calls": 1, "input": "hi"}),
        ("openai_responses", "openai", {"reasoning": {"mode": "pro"}, "input": "hi"}),
        ("openai_chat", "openai", {"plugins": [{"id": "web"}]}),
        ("openai_chat", "openai", {"web_search_options": {}}),
        ("openai_chat", "openrouter", {"models": ["x-ai/grok-4"]}),
        ("openai_chat", "zai", {"tools": [{"type": "web_search"}]}),
    ],
)
def test_what_nothing_limits_has_no_bound(format_name: str, provider: str, members: dict[str, Any]) -> None:
    """Unlimited searches, unknown fees, other models behind this one: the reason is told, for tokens and for cost."""
    request = {"max_tokens": 10, "messages": [], **members}
    found = bound(request, format_name, provider=provider)
    assert found.tokens_unbounded
    assert found.unbounded == found.tokens_unbounded


@pytest.mark.parametrize("format_name", ["openai_chat", "openai_responses", "anthropic_messages"])
@pytest.mark.parametrize("tools", [True, 7, "web_search", {"type": "web_search"}])
def test_tools_that_are_no_list_have_no_bound(format_name: str, tools: object) -> None:
    """The provider refuses them, if it reads them as we do; here they must not pass for none."""
    request = {"max_tokens": 10, "messages": [], "input": "hi", "tools": tools}
    assert bound(request, format_name).unbounded == "`tools` is not a list"


@pytest.mark.parametrize("tier", [["priority"], {"priority": True}, True])
def test_terms_that_are_no_text_have_no_bound(tier: object) -> None:
    """The same of terms: nobody knows their price."""
    assert "no known price" in bound(chat("hi", service_tier=tier)).unbounded


def test_some_models_search_unasked() -> None:
    """A model that searches by itself has no bound, whatever the request says."""
    assert "on its own" in bound(chat("hi"), provider="groq", model="compound-beta").unbounded


# Cost


def test_the_bound_is_exact_where_it_can_be() -> None:
    """A model that charges for output alone: the bound is the cost of an answer of full length, to the nano-dollar."""
    price = Price("p", "openai", "m", Rates({meters.INPUT: 0, meters.OUTPUT: 10_000 * USD}))
    request = chat("hi", max_tokens=1_000)
    used = Usage({meters.INPUT: 5, meters.OUTPUT: 1_000})
    assert bound(request, price=price).cost_nanos == cost_of(used, price).nanos == 10 * USD


def test_uneven_rates_round_up_once_per_line() -> None:
    """Where every meter's rate has a fraction of a nano-dollar, spreading tokens over them cannot exceed the bound."""
    price = Price("p", "openai", "m", Rates({meters.INPUT: 1, meters.CACHE_READ: 1, meters.OUTPUT: 0}))
    assert cost_of(Usage({meters.INPUT: 1, meters.CACHE_READ: 1}), price).nanos == 2
    assert bound(chat("hi"), price=price).cost_nanos >= 2


def test_the_dearest_tier_in_reach_counts() -> None:
    """Input that can cross a tier is held at its rates; a cheaper tier above does not lower the bound."""
    dear = Rates({meters.INPUT: 4 * USD, meters.OUTPUT: 9 * USD})
    cheap = Rates({meters.INPUT: USD // 10, meters.OUTPUT: USD // 10})
    above = Price("p", "openai", "m", PRICE.rates, ((500, dear),))
    below = Price("p", "openai", "m", PRICE.rates, ((500, cheap),))
    request = chat("x" * 1_000, max_tokens=10)
    tokens = bound(request).input_tokens
    assert bound(request, price=above).cost_nanos == tokens * 4_000 + 10 * 9_000
    assert bound(request, price=below).cost_nanos == 500 * 2_000 + 10 * 8_000
    assert bound(chat("hi", max_tokens=10), price=above).cost.lines[0].rate == 2 * USD


def test_cache_writes_count_where_they_can_happen() -> None:
    """Only where the request marks them, at the lifetime it names, if the provider leaves that to the request."""
    rates = Rates({meters.INPUT: 10, meters.CACHE_WRITE: 12, meters.CACHE_WRITE_1H: 20, meters.OUTPUT: 1})
    price = Price("p", "anthropic", "m", rates)

    def top(marker: dict[str, str] | None, provider: str = "anthropic") -> str:
        block = {"type": "text", "text": "hi", **({"cache_control": marker} if marker else {})}
        request = {"max_tokens": 1, "messages": [{"role": "user", "content": [block]}]}
        return bound(request, "anthropic_messages", provider=provider, price=price).cost.lines[0].meter

    assert top(None) == meters.INPUT
    assert top({"type": "ephemeral"}) == meters.CACHE_WRITE
    assert top({"type": "ephemeral", "ttl": "1h"}) == meters.CACHE_WRITE_1H
    assert top(None, "openai") == meters.CACHE_WRITE


def test_an_escaped_marker_is_still_a_marker() -> None:
    """A member's name may be written with escapes: the provider reads it, and so do we."""
    rates = Rates({meters.INPUT: 10, meters.CACHE_WRITE: 12, meters.OUTPUT: 1})
    content = rb'[{"type":"text","text":"hi","cache\u005fcontrol":{"type":"ephemeral"}}]'
    body = rb'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":' + content + b"}]}"
    document, spec = Document(body), CATALOG.provider("anthropic")
    assert spec is not None
    head = FORMATS["anthropic_messages"].head(document)
    price = Price("p", "anthropic", "m", rates)
    found = bound_of("anthropic_messages", document, head, spec=spec, model="m", facts=FACTS, price=price)
    assert found.cost.lines[0].meter == meters.CACHE_WRITE


def test_unpriced_is_told_apart_from_unbounded() -> None:
    """A model without a price is bounded in tokens and not in cost; so is a kind of token without a known price."""
    unpriced = bound(chat("hi"), price=None)
    assert (unpriced.tokens_unbounded, unpriced.cost_nanos) == ("", 0)
    assert "no known price" in unpriced.unbounded
    silent = Price("p", "openai", "m", Rates(PRICE.rates.by_meter, frozenset({meters.INPUT_AUDIO})))
    spoken = bound(chat({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}), price=silent)
    assert "no known price for input_audio" in spoken.unbounded
    assert not bound(chat("hi"), price=silent).unbounded


def test_other_terms_count_at_the_dearer_price() -> None:
    """Priority is held at its own price, flex at the standard one it may fall back to, unknown terms not at all."""
    price = CATALOG.price("openai", "gpt-4o", NOW)
    tiers = {name: bound(chat("hi", service_tier=name), price=price) for name in ("auto", "flex", "priority", "other")}
    plain = bound(chat("hi"), price=price)
    assert tiers["auto"].cost_nanos >= plain.cost_nanos
    assert tiers["priority"].cost_nanos > plain.cost_nanos * 3 // 2
    assert tiers["priority"].terms == "priority"
    assert "`other` terms" in tiers["other"].unbounded
    assert "`inference_geo`" in bound(chat("hi", inference_geo="us"), price=price).unbounded


RATE = st.integers(0, 100_000) | st.integers(0, 30).map(lambda dollars: dollars * USD)
RATES = st.dictionaries(st.sampled_from((*meters.INPUT_METERS, *meters.OUTPUT_METERS, meters.REQUEST)), RATE).map(
    lambda more: Rates({meters.INPUT: 3 * USD, meters.OUTPUT: 7, **more})
)
PRICES = st.builds(
    lambda rates, tiers: Price(
        "p",
        "openai",
        "m",
        rates,
        tuple(
            (above, Rates({m: rate * times for m, rate in rates.by_meter.items()}))
            for above, times in sorted(tiers.items())
        ),
    ),
    RATES,
    st.dictionaries(st.integers(1, 2_000), st.integers(0, 3), max_size=2),
)
REQUESTS = st.builds(
    lambda text, media, marked, limit, choices: chat(
        {"type": "text", "text": text, **({"cache_control": {"type": "ephemeral", "ttl": "1h"}} if marked else {})},
        *media,
        max_tokens=limit,
        n=choices,
    ),
    st.text(max_size=1_000),
    st.lists(
        st.sampled_from(
            [
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            ]
        ),
        max_size=2,
    ),
    st.booleans(),
    st.integers(1, 2_000),
    st.integers(1, 3),
)


def split(data: st.DataObject, total: int, among: tuple[str, ...]) -> dict[str, int]:
    """Some of `total` tokens, spread over these meters."""
    counts, left = {}, total
    for meter in among:
        counts[meter] = data.draw(st.integers(0, left) | st.just(left), label=meter)
        left -= counts[meter]
    return counts


@settings(max_examples=150, deadline=None)
@given(REQUESTS, PRICES, st.data())
def test_no_usage_within_the_bound_costs_more(request_: dict[str, Any], price: Price, data: st.DataObject) -> None:
    """However a provider spreads the tokens over what it can count for such a request, the cost stays within."""
    found = bound(request_, price=price)
    kinds = {part["type"] for part in request_["messages"][0]["content"]}
    possible = [meters.INPUT, meters.CACHE_READ, meters.CACHE_WRITE]
    if "cache_control" in request_["messages"][0]["content"][0]:
        possible.append(meters.CACHE_WRITE_1H)
    if "image_url" in kinds:
        possible.append(meters.INPUT_IMAGE)
    if "input_audio" in kinds:
        possible += [meters.INPUT_AUDIO, meters.CACHE_READ_AUDIO]
    order = tuple(data.draw(st.permutations(possible)))
    outputs = (
        meters.OUTPUT,
        meters.REASONING,
        *(m for m in (meters.OUTPUT_IMAGE, meters.OUTPUT_AUDIO) if m in price.rates.by_meter),
    )
    counts = split(data, found.input_tokens, order) | split(data, found.output_tokens, outputs[::-1])
    assert cost_of(Usage({**counts, meters.REQUEST: 1}), price).nanos <= found.cost_nanos


# Without usage


def test_without_usage_the_delivered_bytes_count() -> None:
    """An answer that came whole, with nothing hidden: the input bound and a token a byte, never above the hold."""
    held = bound(chat("hi", max_tokens=1_000))
    usage = estimate_without_usage(held, delivered=300, whole=True, hidden=False)
    assert (usage.input_tokens, usage.output_tokens) == (held.input_tokens, 300 + UNSEEN_OUTPUT)
    assert usage.source is UsageSource.ESTIMATED
    assert estimate_without_usage(held, delivered=5_000, whole=True, hidden=False).output_tokens == 1_000


@pytest.mark.parametrize(("delivered", "whole", "hidden"), [(300, True, True), (0, False, False), (300, False, True)])
def test_without_usage_the_whole_hold_counts_where_more_is_possible(delivered: int, whole: bool, hidden: bool) -> None:
    """Hidden reasoning, or an answer of which nothing arrived: all that was held."""
    held = bound(chat("hi", max_tokens=1_000))
    usage = estimate_without_usage(held, delivered=delivered, whole=whole, hidden=hidden)
    assert usage.counts == held.usage.counts
    assert cost_of(usage, PRICE).nanos == held.cost_nanos


def test_what_the_provider_did_report_counts_as_reported() -> None:
    """A stream that told its input and broke off: that input, and no less output than was told."""
    held = bound(chat("hi", max_tokens=1_000))
    reported = Usage({meters.INPUT: 9, meters.CACHE_READ: 2, meters.OUTPUT: 400})
    usage = estimate_without_usage(held, delivered=10, whole=False, hidden=False, reported=reported)
    assert usage.counts == {meters.INPUT: 9, meters.CACHE_READ: 2, meters.OUTPUT: 400}


# Real traffic

_PATHS = {
    "/chat/completions": "openai_chat",
    "/responses": "openai_responses",
    "/messages": "anthropic_messages",
    "/embeddings": "openai_embeddings",
}


def real_usage(recording: Recording, format_name: str, document: Document) -> Usage | None:
    head = FORMATS[format_name].head(document)
    dialogue = open_dialogue(format_name, format_name, document, head, head.model or "")
    if recording.streams:
        for piece in in_pieces(recording.body, 4_096):
            dialogue.feed(piece)
        with suppress(UpstreamFailed):  # some recordings end before their stream does
            dialogue.finish()
    else:
        dialogue.answer(recording.status, recording.body)
    return dialogue.usage


def test_the_bound_holds_for_recorded_traffic() -> None:
    """No recorded call used or cost more than its bound; those that have none are those with unlimited hosted tools."""
    bounded, priced, open_ended = 0, 0, 0
    for recording in some_recordings():
        format_name = next((name for end, name in _PATHS.items() if recording.path.endswith(end)), None)
        if format_name is None or recording.status != 200:
            continue
        document = Document(json.dumps(recording.request, ensure_ascii=False, separators=(",", ":")).encode())
        usage, model = real_usage(recording, format_name, document), str(recording.request.get("model"))
        spec = CATALOG.provider(recording.provider)
        assert spec is not None
        price = CATALOG.price(spec.id, model, NOW)
        head = FORMATS[format_name].head(document)
        found = bound_of(
            format_name, document, head, spec=spec, model=model, facts=CATALOG.model(spec.id, model), price=price
        )
        if found.tokens_unbounded:
            open_ended += 1
        elif usage is not None:
            bounded += 1
            assert usage.input_tokens <= found.input_tokens, recording.name
            assert usage.output_tokens <= found.output_tokens, recording.name
            if price is not None and not found.unbounded:
                priced += 1
                assert cost_of(usage, price).nanos <= found.cost_nanos, recording.name
    assert bounded > 250
    assert priced > 250
    assert open_ended < bounded // 2
