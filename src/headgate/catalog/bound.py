"""The most that one request can use and cost, before it is sent.

Input: the bytes of the body bound its text, because byte-level tokenizers never make more tokens than bytes; images
count by the provider's rule; what has no bound of its own counts as the model's whole context window, and so does
everything, at most. Output: the limit that the client set, else the model's, else the one that the gateway sets. Each
side counts at the dearest rate that can apply: see `catalog.dearest`. Where something has no bound, the reason is told
and the figures are what is known.

A request of text alone, the usual one, is told by its type (`catalog.text`); any other is decoded whole, once, shared
with whoever translates it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from headgate.base import usage as meters
from headgate.base.usage import Usage, UsageSource
from headgate.catalog.content import Content, content_of
from headgate.catalog.dearest import Offers, dearest_usage, offers_of, spoken, standard_offers
from headgate.catalog.hosted import Tools, tools_of
from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Cost, Price
from headgate.catalog.provider import ProviderSpec
from headgate.catalog.text import is_text
from headgate.catalog.units import TOKENS, UNIT_FORMATS, Units, charged, units_of
from headgate.wire.dialogue import Head
from headgate.wire.document import Document

DEFAULT_MAX_OUTPUT: Final = 16_384
"""The output limit that is sent with a request to a model whose own is not known."""

UNSEEN_OUTPUT: Final = 128
"""Output tokens that are billed and not delivered as text: the ends of messages, the wrapping of a tool call."""

_NO_OUTPUT: Final = frozenset({"openai_embeddings", "anthropic_count_tokens"})

_MANY_INPUTS: Final = frozenset({"openai_embeddings", "openai_completions"})
"""Formats whose requests hold many inputs, each with a context window of its own."""

_OF_TEXT: Final = (meters.INPUT, meters.CACHE_READ)
_OF_TEXT_WRITTEN: Final = (*_OF_TEXT, meters.CACHE_WRITE)
_TEXT: Final = Content()
_NO_TOOLS: Final = Tools()
"""What `is_text` finds; never written to."""


class Bound(msgspec.Struct, frozen=True):
    """Upper bounds of one request, and how they came about."""

    input_tokens: int
    output_tokens: int
    counts: Mapping[str, int]
    """The dearest usage within the bound, by meter."""
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

    @property
    def usage(self) -> Usage:
        """The dearest usage within the bound; marked estimated."""
        return Usage(self.counts, UsageSource.ESTIMATED)

    @property
    def cost_nanos(self) -> int:
        return self.cost.nanos


class Bounds(msgspec.Struct, frozen=True):
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
    references: Sequence[str] = ()
    """Ids of what the request names that is kept at the provider."""

    def whole(self) -> Bound:
        """With all the output it may have."""
        return self._whole

    def within(self, output_tokens: int) -> Bound:
        """With so much output at most, over all answers. Never costs more than a bound with more output."""
        worst = dearest_usage(
            self._offers, self.input_tokens, output_tokens, self._input_meters, self._spoken, self._fees
        )
        return replace(self._whole, output_tokens=output_tokens, counts=worst.counts, cost=worst.cost)

    def limited(self, limit: int) -> "Bounds":
        """With so much output at most, per answer, which is then sent as the limit."""
        if limit >= self.limit:
            return self
        whole = replace(self.within(limit * self.answers), needs_output_limit=limit)
        return replace(self, limit=limit, _whole=whole)


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
    if format_name in UNIT_FORMATS:
        return _unit_bounds(units_of(format_name, document, head, spec, model, facts, price), price)
    if is_text(format_name, document):
        content, tools, offers, sound = _TEXT, _NO_TOOLS, standard_offers(price), False
    else:
        request = document.decode()
        content, tools = content_of(format_name, request), tools_of(format_name, request)
        offers, sound = offers_of(request, price), spoken(request)
    window = facts.context_window if facts is not None and format_name not in _MANY_INPUTS else None
    input_tokens, open_input = _input(len(document.body), content, tools, spec, model, window)
    thinking = _thinking(document)
    each, limit = _output_limit(format_name, head, thinking, facts, default_max_output)
    answers = max(1, head.choices) * tools.passes
    searches = f"`{model[:100]}` searches or calls tools on its own" if spec.bound.searches(model) else ""
    tokens_unbounded = tools.unbounded or searches or open_input
    input_meters = _input_meters(content, spec)
    worst = dearest_usage(offers, input_tokens, each * answers, input_meters, sound, tools.fees)
    whole = Bound(
        input_tokens=input_tokens,
        output_tokens=each * answers,
        counts=worst.counts,
        cost=worst.cost,
        needs_output_limit=limit,
        unbounded=tokens_unbounded or offers.unknown or worst.unknown,
        tokens_unbounded=tokens_unbounded,
        terms=offers.terms,
    )
    return Bounds(
        input_tokens, each, answers, thinking, whole, offers, input_meters, sound, tools.fees, content.references
    )


def _unit_bounds(units: Units, price: Price | None) -> Bounds:
    """Of work that is not billed by text alone: there is no output limit that could be lowered."""
    offers = standard_offers(price)
    worst = dearest_usage(offers, units.input_tokens, units.output_tokens, units.input_meters, False, units.fees)
    open_bases = [why for basis, why in units.unbounded.items() if price is not None and basis in charged(price)]
    whole = Bound(
        input_tokens=units.input_tokens,
        output_tokens=units.output_tokens,
        counts=worst.counts,
        cost=worst.cost,
        unbounded=open_bases[0] if open_bases else worst.unknown,
        tokens_unbounded=units.unbounded.get(TOKENS, ""),
    )
    return Bounds(units.input_tokens, 0, 1, 0, whole, offers, units.input_meters, False, units.fees)


def _input(
    size: int, content: Content, tools: Tools, spec: ProviderSpec, model: str, window: int | None
) -> tuple[int, str]:
    """Input tokens, and why they have no bound (empty if they have)."""
    rules = spec.bound
    tokens = size - content.payload + rules.request_tokens + rules.typed_tool_tokens * tools.typed
    if tools.any:
        tokens += rules.tools_tokens
    opaque = content.opaque
    if content.images:
        per_image = rules.image_limit(model)
        if per_image is None:
            opaque = opaque or "an image, whose tokens the catalog does not know for this model"
        else:
            tokens += content.images * per_image
    if tools.passes > 1:
        opaque = opaque or "the results of hosted tools"
    if window is None:
        return tokens, f"the request has {opaque}, and the context window of the model is not known" if opaque else ""
    if opaque:
        return window * tools.passes, ""
    return min(tokens, window), ""


def _output_limit(
    format_name: str, head: Head, thinking: int, facts: ModelFacts | None, default_max_output: int
) -> tuple[int, int | None]:
    """Output tokens of one answer, and the limit that must be sent for that to be true."""
    if format_name in _NO_OUTPUT:
        return 0, None
    if head.max_output_tokens is not None:
        return max(head.max_output_tokens, thinking), None
    if facts is not None and facts.max_output is not None:
        return facts.max_output, None
    return default_max_output, default_max_output


def _thinking(document: Document) -> int:
    """Anthropic lets the budget for thinking between tool calls exceed `max_tokens`."""
    thinking = document.value("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    return budget if type(budget) is int else 0


def _input_meters(content: Content, spec: ProviderSpec) -> tuple[str, ...]:
    """The meters under which the provider may count this input."""
    if content is _TEXT:
        return _OF_TEXT_WRITTEN if spec.bound.cache_writes == "automatic" else _OF_TEXT
    found: tuple[str, ...] = _OF_TEXT
    if content.marked or spec.bound.cache_writes == "automatic":
        found += (meters.CACHE_WRITE,)
    if content.marked_long:
        found += (meters.CACHE_WRITE_1H,)
    if content.images or content.opaque:
        found += (meters.INPUT_IMAGE,)
    if content.audio or content.opaque:
        found += (meters.INPUT_AUDIO, meters.CACHE_READ_AUDIO)
    return found


def estimate_without_usage(
    bound: Bound, *, delivered: int, whole: bool, hidden: bool, reported: Usage | None = None
) -> Usage:
    """An upper bound of what a call can have been billed when its usage did not come, or not all of it.

    `delivered` is the bytes of generated content that arrived, `whole` whether the answer was complete, `hidden`
    whether tokens may have been billed that are never delivered. The input counts as the provider reported it, else as
    bounded. The output counts as delivered, a token a byte; but as bounded where hidden tokens are possible, and where
    nothing was heard of an answer that was under way.
    """
    told = reported.counts if reported is not None and reported.input_tokens else {}
    counts, output_meter = {}, meters.OUTPUT
    for meter, count in bound.counts.items():
        if meter in meters.OUTPUT_METERS:
            output_meter = meter
        elif not told or meter not in meters.INPUT_METERS:
            counts[meter] = count
    counts |= {meter: count for meter, count in told.items() if meter in meters.INPUT_METERS}
    output = bound.output_tokens
    if not hidden and (whole or delivered):
        output = min(output, delivered + UNSEEN_OUTPUT)
    if reported is not None:
        output = max(output, reported.output_tokens)
    counts[output_meter] = output
    return Usage(counts, UsageSource.ESTIMATED)
