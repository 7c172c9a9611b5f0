"""Whether a request is simple or complex, in every format that clients speak."""

import json
from typing import Any

import pytest

from headgate.routing.complexity import Prompt, Verdict, classify
from headgate.tenancy.routing_table import ComplexityRules
from headgate.wire.document import Document

RULES = ComplexityRules()
LONG = "x" * 2_001


def verdict(format_name: str, rules: ComplexityRules = RULES, **request: Any) -> Verdict:
    return classify(Prompt.of(format_name, Document(json.dumps({"model": "auto", **request}).encode())), rules)


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


PARTS = [{"type": "text", "text": "x" * 1_500}, {"type": "text", "text": "y" * 1_500}]
IMAGE = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
ANTHROPIC_IMAGE = [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]
TOOL = [{"type": "function", "function": {"name": "f", "parameters": {}}}]

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("openai_chat", {"messages": [said("user", "hi")]}, "simple"),
    ("openai_chat", {"messages": [said("user", "x" * 2_000)]}, "simple"),
    ("openai_chat", {"messages": [said("user", LONG)]}, "complex"),
    ("openai_chat", {"messages": [said("user", PARTS)]}, "complex"),
    ("openai_chat", {"messages": [said("user", "a" * 1_500), said("assistant", "b" * 1_500)]}, "complex"),
    ("openai_chat", {"messages": [said("system", "Please Analyze this"), said("user", "hi")]}, "complex"),
    ("openai_chat", {"messages": [said("user", [{"type": "text", "text": "compare these"}])]}, "complex"),
    ("openai_chat", {"messages": [said("assistant", "I will analyze it"), said("user", "no")]}, "simple"),
    ("openai_chat", {"messages": [said("user", IMAGE)]}, "complex"),
    ("openai_chat", {"messages": [said("user", "hi")], "tools": TOOL}, "complex"),
    ("openai_chat", {"messages": [said("user", "hi")], "tools": []}, "simple"),
    ("anthropic_messages", {"messages": [said("user", "hi")], "max_tokens": 5}, "simple"),
    ("anthropic_messages", {"messages": [said("user", PARTS)], "max_tokens": 5}, "complex"),
    ("anthropic_messages", {"system": "generate code", "messages": [said("user", "hi")], "max_tokens": 5}, "complex"),
    ("anthropic_messages", {"messages": [said("user", ANTHROPIC_IMAGE)], "max_tokens": 5}, "complex"),
    ("openai_responses", {"input": "hi"}, "simple"),
    ("openai_responses", {"input": "hi", "instructions": "step by step"}, "complex"),
    ("openai_responses", {"input": [said("user", [{"type": "input_text", "text": LONG}])]}, "complex"),
    ("openai_responses", {"input": [{"type": "function_call_output", "output": "analyze"}]}, "simple"),
    ("openai_completions", {"prompt": "refactor this"}, "complex"),
    ("openai_embeddings", {"input": ["a", "b"]}, "simple"),
]


@pytest.mark.parametrize(("format_name", "request_", "level"), CASES)
def test_each_reason_is_enough(format_name: str, request_: dict[str, Any], level: str) -> None:
    """T13: more than 2,000 characters; words that ask for thought, of system and user only; tools; images. Content may
    be a list of parts."""
    found = verdict(format_name, **request_)
    assert found.level == level
    assert found.why


def test_the_rules_are_the_tables() -> None:
    """T14: another length, other words; tools and images need not count."""
    rules = ComplexityRules(length=3, keywords=("urgent",), tools=False, images=False)
    assert verdict("openai_chat", rules, messages=[said("user", "four")]).level == "complex"
    assert verdict("openai_chat", rules, messages=[said("user", "ana")], tools=TOOL).level == "simple"
    assert verdict("openai_chat", rules, messages=[said("user", IMAGE)]).level == "simple"
    rules = ComplexityRules(keywords=("urgent",))
    assert verdict("openai_chat", rules, messages=[said("user", "analyze: URGENT")]).why == (
        "system or user text says `urgent`",
    )
