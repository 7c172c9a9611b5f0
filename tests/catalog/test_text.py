"""Requests of text alone: the short way to their bound says what reading them in full would say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.base import usage as meters
from headgate.catalog.bound import Bound, bound_of
from headgate.catalog.catalog import Catalog
from headgate.catalog.content import Content, content_of
from headgate.catalog.dearest import offers_of, spoken, standard_offers
from headgate.catalog.hosted import Tools, tools_of
from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Price, Rates
from headgate.catalog.text import SETTINGS, is_text
from headgate.wire.document import Document
from headgate.wire.registry import FORMATS

CATALOG = Catalog.load()
FACTS = ModelFacts("openai", "m", context_window=1_000, max_output=500)
RATES = Rates({meters.INPUT: 2_000, meters.CACHE_WRITE: 2_500, meters.OUTPUT: 8_000})
PRICE = Price("p", "openai", "m", RATES, ((400, Rates({meters.INPUT: 4_001, meters.OUTPUT: 9_001})),))

TEXT_FORMATS = ("openai_chat", "openai_responses", "anthropic_messages", "anthropic_count_tokens")
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def read(format_name: str, body: bytes) -> bool:
    return is_text(format_name, Document(body))


def bound(format_name: str, request: dict[str, Any]) -> Bound:
    document = Document(json.dumps(request).encode())
    spec = CATALOG.provider("anthropic" if format_name.startswith("anthropic") else "openai")
    assert spec is not None
    head = FORMATS[format_name].head(document)
    return bound_of(format_name, document, head, spec=spec, model="m", facts=FACTS, price=PRICE)


def said(format_name: str, texts: list[str], *, in_parts: bool) -> dict[str, Any]:
    kind = "input_text" if format_name == "openai_responses" else "text"
    content: list[Any] = [[{"type": kind, "text": text}] if in_parts else text for text in texts]
    messages = [{"role": "user", "content": each} for each in content]
    return {"input" if format_name == "openai_responses" else "messages": messages}


@given(st.sampled_from(TEXT_FORMATS), st.lists(st.text(max_size=400), max_size=3), st.booleans(), st.integers(1, 2_000))
def test_the_short_way_says_what_the_long_way_says(
    format_name: str, texts: list[str], in_parts: bool, limit: int
) -> None:
    """A member of the same length that nobody knows makes the same request one that is read in full."""
    limits = "max_output_tokens" if format_name == "openai_responses" else "max_tokens"
    request = {"model": "m", limits: limit, **said(format_name, texts, in_parts=in_parts)}
    short, long = {**request, "user": "u"}, {**request, "usor": "u"}
    assert read(format_name, json.dumps(short).encode())
    assert not read(format_name, json.dumps(long).encode())
    assert bound(format_name, short) == bound(format_name, long)


@pytest.mark.parametrize("format_name", TEXT_FORMATS)
@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_setting_brings_nothing_but_its_bytes(format_name: str, name: str) -> None:
    """Whatever the value of a listed setting, reading it in full finds no content, tools, terms or sound."""
    marked = {"type": "mcp", "mode": "pro", "cache_control": {"type": "ephemeral"}, "content": [IMAGE]}
    for value in ("priority", "audio", True, marked, [marked], ["audio", "compact"]):
        request = {name: value}
        assert content_of(format_name, request) == Content()
        assert tools_of(format_name, request) == Tools()
        assert offers_of(request, PRICE) == standard_offers(PRICE)
        assert not spoken(request)


@pytest.mark.parametrize(
    ("format_name", "body"),
    [
        ("openai_chat", rb'{"messages":[{"role":"user","content":[{"type":"image_url","image_url":"u"}]}]}'),
        ("openai_chat", rb'{"messages":[{"role":"user","cont\u0065nt":[{"type":"image_url","image_url":"u"}]}]}'),
        ("openai_chat", rb'{"messages":[{"role":"user","content":"a","content":[{"type":"file","text":"t"}]}]}'),
        ("openai_chat", rb'{"messages":[{"role":"user","content":[{"type":"file","type":"text","text":"t"}]}]}'),
        ("openai_chat", rb'{"messages":[{"role":"user","content":[{"type":"text","text":"t","x":1}]}]}'),
        ("openai_chat", rb'{"messages":[{"role":"assistant","content":"hi","audio":{"id":"a"}}]}'),
        ("openai_chat", rb'{"messages":[{"role":"user","content":"hi"}],"service_tier":"priority"}'),
        ("openai_chat", rb'{"messages":[{"role":"user","content":"hi"}],"t\u006fols":[]}'),
        ("openai_chat", rb'{"messages":[{"role":"user","content":null}]}'),
        ("openai_chat", rb'{"messages":"hi"}'),
        ("openai_responses", rb'{"input":[{"type":"item_reference","role":"user","content":"hi"}]}'),
        ("openai_responses", rb'{"input":[{"role":"user","content":[{"type":"input_image","text":"t"}]}]}'),
        ("openai_responses", rb'{"input":"hi","previous_response_id":"r"}'),
        ("openai_responses", rb'{"input":"hi","prompt":{"id":"p"}}'),
        ("anthropic_messages", rb'{"messages":[],"system":[{"type":"text","text":"t","cache\u005fcontrol":{}}]}'),
        ("anthropic_messages", rb'{"messages":[{"role":"user","content":[{"type":"tool_result","text":"t"}]}]}'),
        ("anthropic_messages", rb'{"messages":[],"cache_control":{"type":"ephemeral"}}'),
        ("openai_embeddings", rb'{"input":"hi"}'),
    ],
)
def test_what_is_not_known_to_be_text_is_read_in_full(format_name: str, body: bytes) -> None:
    """Images, marks, terms, tools, unknown members and parts, however spelt, and formats that are not listed."""
    assert not read(format_name, body)
