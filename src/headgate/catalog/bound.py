"""The most that one request can use and cost, before it is sent.

Input: the bytes of the body bound its text, because byte-level tokenizers never make more tokens than bytes; images
count by the provider's rule; what has no bound of its own counts as the model's whole context window, and so does
everything, at most. Output: the limit that the client set, else the model's, else the one that the gateway sets. Each
side counts at the dearest rate that can apply: see `catalog.dearest`. Where something has no bound, the reason is told
and the figures are what is known.

The request is decoded once (shared with whoever translates it): 1.4 µs for 1 kB and 0.2 ms for 400 kB on the machine
of the first measurements, which is less than a single search for a byte string in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from headgate.base import usage as meters
from headgate.base.usage import Usage, UsageSource
from headgate.catalog.content import Content, content_of
from headgate.catalog.dearest import Offers, dearest_usage, offers_of, spoken
from headgate.catalog.hosted import Tools, tools_of
from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Cost, Price
from headgate.catalog.provider import ProviderSpec
from headgate.wire.dialogue import Head
from headgate.wire.document import Document

DEFAULT_MAX_OUTPUT: Final = 16_384
"""The output limit that is sent with a request to a model whose own is not known."""

UNSEEN_OUTPUT: Final = 128
"""Output tokens that are billed and not delivered as text: the ends of messages, the wrapping of a tool call."""

_NO_OUTPUT: Final = frozenset({"openai_embeddings", "anthropic_count_tokens"})

_MANY_INPUTS: Final = frozenset({"openai_embeddings", "openai_completions"})
"""Formats whose requests hold many inputs, each with a context window of its own."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Upper bounds of one request, and how they came about."""

    input_tokens: int
    output_tokens: int
    usage: Usage
    """The dearest usage within the bound; marked estimated."""
    cost: Cost
    """What that usage costs, line by line. Zero, with the meters in `unpriced`, for a model without a price."""
    needs_output_limit: int | None = None
    """The output limit (per choice) to send so that the bound is true; None where one is set or known."""
    unbounded: str = ""
    """Why the cost has no bound, for the one who is refused; empty if it has one."""
    tokens_unbounded: str = ""
    """The same of the tokens alone: a request can be bounded in tokens and have no price."""
    terms: str | None = None
    """The price variant the request asks for (`priority`, `flex`, `fast`), if any: settle at `Price.under` of it."""
    notes: tuple[str, ...] = ()
    """In words, what went into the token figures."""

    @property
    def cost_nanos(self) -> int:
        return self.cost.nanos


@dataclass(slots=True)
class Bounds:
    """What one request can cost, by how much output it may have."""

    input_tokens: int
    limit: int
    """The output limit, per answer."""
    answers: int
    """How many answers of that length there may be: choices, and rounds of hosted tools."""
    thinking: int
    """What the request lets the model think, which may be beyond its output limit."""
    _whole: Bound
    _offers: Offers
    _input_meters: tuple[str, ...]
    _spoken: bool
    _fees: Mapping[str, int]

    def whole(self) -> Bound:
        """With all the output it may have."""
        return self._whole

    def within(self, output_tokens: int) -> Bound:
        """With so much output at most, over all answers. Never costs more than a bound with more output."""
        worst = dearest_usage(
            self._offers, self.input_tokens, output_tokens, self._input_meters, self._spoken, self._fees
        )
        return replace(self._whole, output_tokens=output_tokens, usage=worst.usage, cost=worst.cost)


def bound_of(
    format_name: str,
    document: Document,
    head: Head,
    *,
    spec: ProviderSpec,
    model: str,
    facts: ModelFacts | None,
    price: Price | None,
    default_max_output: int = DEFAULT_MAX_OUTPUT,
) -> Bound:
    """Bound a request in the client's format `format_name` that is to go to `model` of the provider `spec`."""
    return bounds_of(
        format_name,
        document,
        head,
        spec=spec,
        model=model,
        facts=facts,
        price=price,
        default_max_output=default_max_output,
    ).whole()


def bounds_of(
    format_name: str,
    document: Document,
    head: Head,
    *,
    spec: ProviderSpec,
    model: str,
    facts: ModelFacts | None,
    price: Price | None,
    default_max_output: int = DEFAULT_MAX_OUTPUT,
) -> Bounds:
    """As `bound_of`, and ready to say what less output would cost."""
    request = document.decode()
    content, tools = content_of(format_name, request), tools_of(format_name, request)
    if spec.bound.searches(model):
        tools.cannot_bound(f"`{model[:100]}` searches or calls tools on its own")
    window = facts.context_window if facts is not None and format_name not in _MANY_INPUTS else None
    notes: list[str] = []
    input_tokens, open_input = _input(len(document.body), content, tools, spec, model, window, notes)
    each, limit, answers = _output(format_name, request, head, facts, default_max_output, notes)
    answers *= tools.passes
    tokens_unbounded = tools.unbounded or open_input
    offers, input_meters, sound = offers_of(request, price), _input_meters(content, spec), spoken(request)
    worst = dearest_usage(offers, input_tokens, each * answers, input_meters, sound, tools.fees)
    whole = Bound(
        input_tokens=input_tokens,
        output_tokens=each * answers,
        usage=worst.usage,
        cost=worst.cost,
        needs_output_limit=limit,
        unbounded=tokens_unbounded or offers.unknown or worst.unknown,
        tokens_unbounded=tokens_unbounded,
        terms=offers.terms,
        notes=tuple(notes),
    )
    return Bounds(input_tokens, each, answers, _thinking(request), whole, offers, input_meters, sound, tools.fees)


def _input(
    size: int,
    content: Content,
    tools: Tools,
    spec: ProviderSpec,
    model: str,
    window: int | None,
    notes: list[str],
) -> tuple[int, str]:
    """Input tokens, and why they have no bound (empty if they have)."""
    rules = spec.bound
    text = size - content.payload
    hidden = rules.request_tokens + (rules.tools_tokens if tools.any else 0) + rules.typed_tool_tokens * tools.typed
    notes.append(f"{text} bytes of text count at most a token each; {hidden} tokens for the provider's hidden prompt")
    per_image = rules.image_limit(model) if content.images else None
    opaque = content.opaque
    if content.images and per_image is None:
        opaque = opaque or "an image, whose tokens the catalog does not know for this model"
    tokens = text + hidden + content.images * (per_image or 0)
    if content.images and per_image is not None:
        notes.append(f"{content.images} images of at most {per_image} tokens")
    if tools.passes > 1:
        opaque = opaque or "the results of hosted tools"
        notes.append(f"the model may read its prompt {tools.passes} times")
    if window is None:
        return tokens, f"the request has {opaque}, and the context window of the model is not known" if opaque else ""
    if opaque:
        notes.append(f"{opaque} can be as long as the context window of {window} tokens")
        return window * tools.passes, ""
    return min(tokens, window), ""


def _output(
    format_name: str,
    request: Mapping[str, Any],
    head: Head,
    facts: ModelFacts | None,
    default_max_output: int,
    notes: list[str],
) -> tuple[int, int | None, int]:
    """Output tokens of one choice, the limit that must be sent for that to be true, and how many choices."""
    if format_name in _NO_OUTPUT:
        return 0, None, 1
    limit = None
    if head.max_output_tokens is not None:
        each, whose = max(head.max_output_tokens, _thinking(request)), "the request"
    elif facts is not None and facts.max_output is not None:
        each, whose = facts.max_output, "the model"
    else:
        each, whose, limit = default_max_output, "the gateway", default_max_output
    choices = max(1, head.choices)
    notes.append(f"{choices} answers of at most {each} tokens, as {whose} limits them")
    return each, limit, choices


def _thinking(request: Mapping[str, Any]) -> int:
    """Anthropic lets the budget for thinking between tool calls exceed `max_tokens`."""
    thinking = request.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    return budget if type(budget) is int else 0


def _input_meters(content: Content, spec: ProviderSpec) -> tuple[str, ...]:
    """The meters under which the provider may count this input."""
    found = [meters.INPUT, meters.CACHE_READ]
    if content.marked or spec.bound.cache_writes == "automatic":
        found.append(meters.CACHE_WRITE)
    if content.marked_long:
        found.append(meters.CACHE_WRITE_1H)
    if content.images or content.opaque:
        found.append(meters.INPUT_IMAGE)
    if content.audio or content.opaque:
        found += (meters.INPUT_AUDIO, meters.CACHE_READ_AUDIO)
    return tuple(found)


def estimate_without_usage(
    bound: Bound, *, delivered: int, whole: bool, hidden: bool, reported: Usage | None = None
) -> Usage:
    """An upper bound of what a call can have been billed when its usage did not come, or not all of it.

    `delivered` is the bytes of generated content that arrived, `whole` whether the answer was complete, `hidden`
    whether tokens may have been billed that are never delivered. The input counts as the provider reported it, else as
    bounded. The output counts as delivered, a token a byte; but as bounded where hidden tokens are possible, and where
    nothing was heard of an answer that was under way.
    """
    input_counts = {meter: count for meter, count in bound.usage.counts.items() if meter not in meters.OUTPUT_METERS}
    if reported is not None and reported.input_tokens:
        told = {m: n for m, n in reported.counts.items() if m in meters.INPUT_METERS}
        input_counts = {m: n for m, n in input_counts.items() if m not in meters.INPUT_METERS} | told
    output_meter = next((meter for meter in bound.usage.counts if meter in meters.OUTPUT_METERS), meters.OUTPUT)
    output = bound.output_tokens
    if not hidden and (whole or delivered):
        output = min(output, delivered + UNSEEN_OUTPUT)
    already = reported.output_tokens if reported is not None else 0
    return Usage({**input_counts, output_meter: max(output, already)}, UsageSource.ESTIMATED)
