"""Reads the genai-prices package and prints what it says as plain JSON.

This file is a script: `headgate prices build` runs it with a Python that has genai-prices, so it uses nothing of
Headgate. It reads from standard input which providers are wanted and which further model ids to look up; amounts go
out as decimal text.
"""

import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from genai_prices import types
from genai_prices.data import providers

_FAR_DATES = ("-20991231", "-2099-12-31")


def main() -> None:
    wanted: dict[str, list[str]] = json.load(sys.stdin)
    by_id = {provider.id: provider for provider in providers}
    answer = {name: _provider(by_id[name], candidates, by_id) for name, candidates in wanted.items()}
    json.dump({"version": version("genai-prices"), "providers": answer}, sys.stdout)


def _provider(provider: Any, candidates: list[str], by_id: dict[str, Any]) -> dict[str, Any]:
    models = {model.id: _model(provider, model) for model in provider.models}
    owned = {id(model): provider.id for provider in by_id.values() for model in provider.models}
    matched = {}
    for candidate in candidates:
        found = provider.find_model(candidate, all_providers=list(by_id.values()))
        if found is not None:
            matched[candidate] = [owned[id(found)], found.id]
    return {"models": models, "matched": matched}


def _model(provider: Any, model: Any) -> dict[str, Any]:
    names = {name for name in (model.id, *_exact(model.match)) if provider.find_model(name) is model}
    return {
        "names": sorted(names),
        "dated": any(model.is_match(name + date) for name in names for date in _FAR_DATES),
        "context": model.context_window,
        "prices": [_conditional(price) for price in _conditions(model.prices)],
        "variants": [
            {"when": variant.when, "prices": _amounts(variant.prices)} for variant in model.price_variants or []
        ],
    }


def _exact(clause: Any) -> Iterator[str]:
    """The ids that the clause names in full. Patterns match families, and a family is not a model."""
    if isinstance(clause, types.ClauseEquals):
        yield clause.equals
    elif isinstance(clause, types.ClauseOr):
        for part in clause.or_:
            yield from _exact(part)


def _conditions(prices: Any) -> list[Any]:
    return prices if isinstance(prices, list) else [types.ConditionalPrice(prices=prices)]


def _conditional(price: Any) -> dict[str, Any]:
    constraint = price.constraint
    out: dict[str, Any] = {"prices": _amounts(price.prices)}
    if isinstance(constraint, types.StartDateConstraint):
        out["since"] = constraint.start_date.isoformat()
    elif isinstance(constraint, types.TimeOfDateConstraint):
        hours = (constraint.start_time, constraint.end_time)
        if any(time.utcoffset() for time in hours):
            raise ValueError(f"hours that are not UTC: {hours}")
        out["hours"] = [time.strftime("%H:%M") for time in hours]
    return out


def _amounts(prices: Any) -> dict[str, Any]:
    amounts: dict[str, Any] = {}
    for key, value in vars(prices).items():
        if value is None or key.startswith("_"):
            continue
        if isinstance(value, types.TieredPrices):
            amounts[key] = {"base": str(value.base), "tiers": [[tier.start, str(tier.price)] for tier in value.tiers]}
        else:
            amounts[key] = {"base": str(value), "tiers": []}
    return amounts


if __name__ == "__main__":
    main()
