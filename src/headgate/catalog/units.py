"""The most that a call can use of what is not text alone: pictures, characters, seconds of sound, search units, and the
tokens of models that bill such work by them.

A price says what a model bills by. What it does not name costs nothing there (`complete`), and a price that names
nothing that such a call uses is no price for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from headgate.base import usage as meters
from headgate.base.errors import InvalidRequest
from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Price, Rates
from headgate.catalog.provider import ProviderSpec
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.form import Form
from headgate.wire.tasks.transcriptions import MUTE, recorded

TOKENS: Final = "tokens"
_TOKEN_METERS: Final = frozenset({*meters.INPUT_METERS, *meters.OUTPUT_METERS})
_UNITS: Final = (meters.IMAGE, meters.CHARACTER, meters.AUDIO_SECOND, meters.SEARCH_UNIT)
BASES: Final = (TOKENS, *_UNITS)
"""What a price may bill such work by, besides a price of each call."""
PARTIAL_TOKENS: Final = 100
"""Output tokens of a picture that is shown before it is finished."""
SEARCH_DOCUMENTS: Final = 100
CHUNK_TOKENS: Final = 500
"""A longer document, the question included, counts as several."""


def basis_of(meter: str) -> str:
    """What a meter belongs to; empty for what is none of them."""
    if meter in _TOKEN_METERS:
        return TOKENS
    kind = meter.partition(":")[0]
    return kind if kind in _UNITS else ""


@lru_cache(maxsize=1_024)
def charged(price: Price) -> frozenset[str]:
    """The bases in which this price costs anything."""
    return frozenset(basis_of(meter) for meter, rate in price.rates.by_meter.items() if rate) - {""}


@lru_cache(maxsize=1_024)
def complete(price: Price) -> Price:
    """With all bases that it does not name at nothing; the price itself where it names neither a basis nor a call."""
    named = {basis_of(meter) for meter in price.rates.by_meter} - {""}
    if not named and meters.REQUEST not in price.rates.by_meter:
        return price
    free = {meter: 0 for meter in (meters.INPUT, meters.OUTPUT) if TOKENS not in named}
    free |= {unit: 0 for unit in _UNITS if unit not in named}
    tiers = tuple((above, Rates({**free, **rates.by_meter}, rates.unknown)) for above, rates in price.tiers)
    variants = {name: complete(variant) for name, variant in price.variants.items()}
    rates = Rates({**free, **price.rates.by_meter}, price.rates.unknown)
    return replace(price, rates=rates, tiers=tiers, variants=variants)


class Units(NamedTuple):
    """`fees` is by meter. What has no bound is 0, and the reason stands in `unbounded`, by basis."""

    input_tokens: int
    output_tokens: int
    fees: Mapping[str, int]
    unbounded: Mapping[str, str]
    input_meters: tuple[str, ...] = (meters.INPUT, meters.CACHE_READ)


class _Ask(NamedTuple):
    document: Document
    head: Head
    spec: ProviderSpec
    model: str
    facts: ModelFacts | None
    price: Price | None

    @property
    def text_tokens(self) -> int:
        """A token a byte of its fields, and what the provider adds."""
        return len(self.document.body) - self.files_size + self.spec.bound.request_tokens

    @property
    def files_size(self) -> int:
        return sum(map(len, self.files)) if self.files else 0

    @property
    def files(self) -> list[memoryview]:
        return self.document.files("file", "image", "image[]", "mask") if isinstance(self.document, Form) else []

    def image_tokens(self, images: int) -> int | None:
        """The most that so many pictures can count as input; None: not known."""
        each = self.spec.bound.image_limit(self.model) if images else 0
        return None if each is None else each * images


_NO_IMAGE_TOKENS: Final = "the catalog does not know how many tokens a picture counts for this model"


def units_of(
    format_name: str,
    document: Document,
    head: Head,
    spec: ProviderSpec,
    model: str,
    facts: ModelFacts | None,
    price: Price | None,
) -> Units:
    """Of a request in one of `UNIT_FORMATS`."""
    return _READERS[format_name](_Ask(document, head, spec, model, facts, price))


def _moderations(ask: _Ask) -> Units:
    given = ask.document.value("input")
    parts = [part for part in given if isinstance(part, dict)] if isinstance(given, list) else []
    images = sum("image_url" in part for part in parts)
    tokens = ask.image_tokens(images)
    unbounded = {TOKENS: _NO_IMAGE_TOKENS} if tokens is None else {}
    return Units(ask.text_tokens + (tokens or 0), 0, {}, unbounded, (meters.INPUT, meters.INPUT_IMAGE))


def _rerank(ask: _Ask) -> Units:
    query = len(ask.document.get("query") or b"")
    documents = ask.document.value("documents")
    listed: list[Any] = documents if isinstance(documents, list) else []
    # Each document is read together with the question, and counts once for each piece of 500 tokens.
    room = max(1, CHUNK_TOKENS - query)
    pieces = sum(max(1, -(-len(_text(each).encode("utf-8", "replace")) // room)) for each in listed)
    searches = max(1, -(-pieces // SEARCH_DOCUMENTS))
    tokens = ask.text_tokens + len(listed) * (query + ask.spec.bound.request_tokens)
    return Units(tokens, 0, {meters.SEARCH_UNIT: searches}, {}, (meters.INPUT,))


def _text(document: object) -> str:
    return document if isinstance(document, str) else str(document)


def _images(ask: _Ask) -> Units:
    rules, number = ask.spec.bound, ask.head.choices
    meter = image_meter(ask.price, ask.document.string("quality"), ask.document.string("size"))
    unbounded = {}
    tokens = ask.image_tokens(len(ask.files))
    each = rules.made_image_limit(ask.model)
    if tokens is None or each is None:
        unbounded[TOKENS] = _NO_IMAGE_TOKENS
    partial = PARTIAL_TOKENS * (ask.document.integer("partial_images") or 0)
    made = number * (each + partial) if each is not None else 0
    into = (meters.INPUT, meters.CACHE_READ, meters.INPUT_IMAGE)
    return Units(ask.text_tokens + (tokens or 0), made, {meter: number}, unbounded, into)


def image_meter(price: Price | None, quality: str | None, size: str | None) -> str:
    """The meter of such a picture: the dearest that fits, where the request leaves anything open."""
    by_meter = {} if price is None else price.rates.by_meter
    listed = {meter: rate for meter, rate in by_meter.items() if meter.startswith(f"{meters.IMAGE}:")}
    if not listed:
        return meters.IMAGE
    for place, asked in ((1, quality), (2, size)):
        if asked not in (None, "auto"):
            exact = {meter: rate for meter, rate in listed.items() if meter.split(":")[place] == asked}
            default = {meter: rate for meter, rate in listed.items() if meter.split(":")[place] == "default"}
            listed = exact or default
    return max(listed, key=listed.__getitem__) if listed else f"{meters.IMAGE}:{quality}:{size}"


def _speech(ask: _Ask) -> Units:
    characters = len(ask.document.string("input") or "")
    most = ask.facts.max_output if ask.facts is not None else None
    unbounded = {} if most is not None else {TOKENS: "nobody knows how long the sound may become, in tokens"}
    return Units(ask.text_tokens, most or 0, {meters.CHARACTER: characters}, unbounded, (meters.INPUT,))


def _transcriptions(ask: _Ask) -> Units:
    unbounded, length = {}, recorded(ask.document)
    if length is None:
        unbounded[meters.AUDIO_SECOND] = "the length of sound that is not plain WAV is not known before it is heard"
        _refuse_mute(ask)
    window = ask.facts.context_window if ask.facts is not None else None
    most = ask.facts.max_output if ask.facts is not None else None
    if window is None or most is None:
        unbounded[TOKENS] = "the context window of the model is not known"
    elif ask.document.string("chunking_strategy"):
        # In one piece the sound and all that is made of it fit the window; in several, each does.
        unbounded[TOKENS] = "`chunking_strategy` lets the model hear any number of pieces"
    into = (meters.INPUT, meters.INPUT_AUDIO)
    return Units(window or 0, most or 0, {meters.AUDIO_SECOND: length or 0}, unbounded, into)


def _refuse_mute(ask: _Ask) -> None:
    """Raises `InvalidRequest` for what nobody could ever charge by the second."""
    form = ask.document.string("response_format")
    if form in MUTE and ask.price is not None and meters.AUDIO_SECOND in charged(ask.price):
        raise InvalidRequest(
            f"An answer in the format `{form}` does not tell how long the recording was, and only plain WAV tells it "
            "beforehand. Ask for `json`.",
            param="response_format",
        )


_READERS: Final[Mapping[str, Callable[[_Ask], Units]]] = MappingProxyType(
    {
        "openai_moderations": _moderations,
        "rerank": _rerank,
        "openai_images": _images,
        "openai_image_edits": _images,
        "openai_image_variations": _images,
        "openai_speech": _speech,
        "openai_transcriptions": _transcriptions,
        "openai_translations": _transcriptions,
    }
)
UNIT_FORMATS: Final = frozenset(_READERS)
