"""The most that a batch can cost: the sum of its lines, each bounded as the call that it is."""

from collections import Counter
from dataclasses import replace
from typing import Any, Final

import msgspec

from headgate.base import usage as meters
from headgate.base.errors import InvalidRequest
from headgate.base.usage import Usage
from headgate.catalog.bound import Bound, bounds_of
from headgate.catalog.catalog import Catalog
from headgate.catalog.price import Cost, Price, cost_of
from headgate.dataplane.batches import LineGuards
from headgate.routing.plan import Target
from headgate.routing.resolve import resolve
from headgate.tenancy.policy import Policy
from headgate.wire.document import Document
from headgate.wire.registry import FORMATS

MOST_LINES: Final = 50_000
CODE: Final = "batch_line"
TERMS: Final = "batch"
"""What prices call the terms of a batch."""
URLS: Final = {
    "/v1/chat/completions": "openai_chat",
    "/v1/completions": "openai_completions",
    "/v1/embeddings": "openai_embeddings",
    "/v1/responses": "openai_responses",
}


class _Line(msgspec.Struct):
    custom_id: str
    url: str
    body: msgspec.Raw
    method: str = "POST"


_line: Final = msgspec.json.Decoder(_Line)


def bound_of_batch(
    content: bytes, endpoint: str, policy: Policy, catalog: Catalog, slug: str, at: int, guards: LineGuards
) -> tuple[Target, str, Bound]:
    """Where all lines go, the format of each, and the most they can use and cost together. All are for the batch's
    `endpoint`, whichever of the two the provider goes by. Pure, and slow for a large file: call it in a thread.

    Raises `InvalidRequest` and `GuardrailDenied` naming the line, and `ModelNotAllowed` for a model that the caller may
    not use.
    """
    if endpoint not in URLS:
        raise InvalidRequest(f"`endpoint` must be one of {', '.join(URLS)}.", param="endpoint")
    target: Target | None = None
    counts: Counter[str] = Counter()
    tokens = [0, 0]
    lines = [line for line in content.split(b"\n") if line.strip()]
    if not 0 < len(lines) <= MOST_LINES:
        raise InvalidRequest(f"A batch has from 1 to {MOST_LINES:,} lines.", param="input_file_id")
    for number, raw in enumerate(lines, 1):
        line = _read(raw, number, endpoint)
        try:
            target, document, bound = _bounded(line, number, policy, catalog, slug, at, target)
        except InvalidRequest as error:
            if error.code == CODE:
                raise
            raise _wrong(number, f"is refused: {error.message.removesuffix('.')}") from error
        guards.check(number, slug, target.model, target.format, document)
        counts.update(bound.counts)
        tokens[0] += bound.input_tokens
        tokens[1] += bound.output_tokens
    assert target is not None
    price = target.price.under(TERMS) or target.price if target.price is not None else None
    if price is None:
        cost, unbounded = Cost(0, unpriced=tuple(counts)), f"`{target.model[:100]}` has no known price"
    else:
        if meters.REQUEST in price.rates.by_meter:
            counts[meters.REQUEST] = len(lines)
        cost = cost_of(Usage(dict(counts)), price)
        unbounded = f"{cost.unpriced[0]} has no known price" if cost.unpriced else ""
    bound = Bound(tokens[0], tokens[1], dict(counts), cost, unbounded=unbounded, terms=TERMS)
    return target, target.format, bound


def _read(raw: bytes, number: int, endpoint: str) -> _Line:
    try:
        line = _line.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _wrong(number, "is no JSON object with `custom_id`, `method`, `url` and `body`") from None
    if line.url != endpoint or line.method != "POST":
        raise _wrong(number, f"must be a POST to {endpoint}, the `endpoint` of the batch")
    return line


def _bounded(
    line: _Line, number: int, policy: Policy, catalog: Catalog, slug: str, at: int, before: Target | None
) -> tuple[Target, Document, Bound]:
    client = URLS[line.url]
    document = Document(bytes(line.body))
    head = FORMATS[client].head(document)
    if head.model is None or head.model.startswith("@"):
        raise _wrong(number, "must name its model plainly, as the provider knows it")
    if head.stream:
        raise _wrong(number, "asks for a stream")
    target = before
    if before is None or (before.model, before.format) != (head.model, client):
        target = resolve(policy, catalog, f"@{slug}/{head.model}", None, client, at).first
        if isinstance(unpriced := policy.admission.unpriced, Price) and target.price is None:
            target = replace(target, price=unpriced)
        if before is not None or target.format != client:
            raise _wrong(number, "goes to another model or endpoint than the line before")
    assert target is not None
    bounds = bounds_of(
        client, document, head, spec=target.spec, model=target.model, facts=target.facts, price=target.price
    )
    bound = bounds.whole()
    if bound.needs_output_limit is not None:
        raise _wrong(number, "needs an output limit such as `max_tokens`: that of the model is not known")
    if bounds.references or bound.tokens_unbounded:
        raise _wrong(number, f"has no known bound ({bound.tokens_unbounded or 'it names what is kept elsewhere'})")
    return target, document, bound


def _wrong(number: int, why: str) -> InvalidRequest:
    details: dict[str, Any] = {"line": number}
    return InvalidRequest(f"Line {number} of the batch {why}.", param="input_file_id", code=CODE, details=details)
