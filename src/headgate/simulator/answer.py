"""The answer to an `Ask` and what it is billed: a function of the request, so that anyone can predict it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from headgate.base import usage as meters
from headgate.simulator import tokens
from headgate.simulator.ask import Ask, Tool
from headgate.simulator.schema import example

Counts = Mapping[str, int]
"""What is billed, by the disjoint meters of `headgate.base.usage`; a meter that is absent is zero."""

PROSE = "Water finds its own level. "
THOUGHT = "The user wants an answer. I weigh the question, choose the plain words, and check them once. "
THOUGHT_TOKENS = 24
_ECHO_BYTES = 2_000
_LENGTH = re.compile(r"\b(\d{1,6}) tokens?\b")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; `arguments` is JSON text."""

    name: str
    arguments: str

    @property
    def tokens(self) -> int:
        return tokens.count(self.name) + tokens.count(self.arguments)


@dataclass(frozen=True, slots=True)
class Answer:
    """`finish` is stop, length or tool. `counts` is what it costs whoever asked."""

    text: str
    counts: Counts
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a model answers where the request leaves it open.

    `tokens`: the length of an answer, None to echo; `prose`: what long answers are made of; `thinks`: it reasons
    unasked; `calls_tools`: it calls whatever tool it is given; `delta_bytes`: how much of the answer one event carries.
    """

    tokens: int | None = None
    prose: str = PROSE
    thinks: bool = False
    calls_tools: bool = False
    delta_bytes: int = 16


def answer(ask: Ask, style: Style, input_counts: Counts, text: str | None = None) -> Answer:
    """What the model says. `text`, where given, is said instead of the echo.

    The limit covers reasoning and answer together, as it does at the providers; what does not fit is cut off and the
    answer ends with `length`.
    """
    if ask.bill is not None:
        return Answer("", ask.bill)
    reasoning = tokens.prose(THOUGHT, THOUGHT_TOKENS) if ask.thinking or style.thinks else ""
    calls = _calls(ask, style)
    said = "" if calls else _text(ask, style) if text is None else text
    left = ask.limit
    finish = "tool" if calls else "stop"
    if left is not None:
        reasoning = tokens.first(reasoning, left)
        left -= tokens.count(reasoning)
        whole = said
        said = tokens.first(said, left)
        if len(said) < len(whole) or sum(call.tokens for call in calls) > left:
            calls, finish = (), "length"
    counts = dict(input_counts)
    if spoken := ask.choices * (tokens.count(said) + sum(call.tokens for call in calls)):
        counts[meters.OUTPUT] = spoken
    if reasoning:
        counts[meters.REASONING] = ask.choices * tokens.count(reasoning)
    return Answer(said, counts, reasoning, calls, finish)


def _text(ask: Ask, style: Style) -> str:
    if not ask.wants_text:
        return ""
    if ask.structured:
        return msgspec.json.encode(example(ask.schema)).decode()
    if wanted := _LENGTH.search(ask.text):
        return tokens.prose(style.prose, int(wanted[1]))
    if style.tokens is not None:
        return tokens.prose(style.prose, style.tokens)
    return "You said: " + ask.text.encode()[:_ECHO_BYTES].decode(errors="ignore")


def _calls(ask: Ask, style: Style) -> tuple[Call, ...]:
    if not ask.tools or ask.tool_choice == "none" or ask.answered_tool:
        return ()
    said = ask.text.lower()
    named = next((tool for tool in ask.tools if tool.name == ask.tool_choice), None)
    if not (style.calls_tools or named or ask.tool_choice == "required" or "weather" in said):
        return ()
    chosen = named or ask.tools[0]
    if "both" in said:
        other = chosen if named or len(ask.tools) == 1 else ask.tools[1]
        return (_call(chosen, 0), _call(other, 1))
    return (_call(chosen, 0),)


def _call(tool: Tool, variant: int) -> Call:
    return Call(tool.name, msgspec.json.encode(example(tool.schema, variant)).decode())
