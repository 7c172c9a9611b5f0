"""Providers, models and prices in memory: everything the catalog knows, from the package's own files."""

import re
from functools import cache
from importlib.resources import files
from typing import Final, Self

import msgspec

from headgate.base import usage as meters
from headgate.catalog import table
from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Price, Rates
from headgate.catalog.provider import CatalogError, ProviderSpec, load_providers, matches
from headgate.catalog.table import Source, Timeline

_DATED: Final = re.compile(r"(.+)[-@]20\d\d(?:-?)(?:0[1-9]|1[0-2])(?:-?)(?:0[1-9]|[12]\d|3[01])")
_FREE: Final = Price("free", "", "", Rates({meters.INPUT: 0, meters.OUTPUT: 0}), source="the provider")
_FINE_TUNED: Final = re.compile(r"(ft:[^:]+):.+")


class Catalog:
    """Look-ups by provider id (or alias) and model id, each a few dictionary reads.

    A model is found by its exact id or a listed alias, without regard to letter case; after a provider's neutral prefix
    (`models/`) is taken off; as the fine-tuned model it is (`ft:gpt-4o-2024-08-06:...`); or as a dated snapshot where
    the source gives all snapshots one price. Anything else is unknown: a near name never borrows a price.
    """

    def __init__(self, providers: dict[str, ProviderSpec], compiled: table.Table) -> None:
        self._providers = providers
        self._by_name = {name: spec for spec in providers.values() for name in (spec.id, *spec.aliases)}
        self._known: dict[str, dict[str, _Known]] = {spec_id: {} for spec_id in providers}
        self._price_by_id: dict[str, Price] = {}
        self._listed: dict[str, tuple[str, ...]] = {}
        self.sources: tuple[Source, ...] = compiled.sources
        self.as_of = compiled.as_of
        source = f"{compiled.sources[0].name} {compiled.sources[0].version}" if compiled.sources else ""
        for provider, models in compiled.providers.items():
            self._add(provider, models, source)

    @classmethod
    @cache
    def load(cls) -> Self:
        """Reads the package's own data, once in a process, and nothing else. Raises `CatalogError` naming the file and
        the field."""
        raw = (files(__package__) / "data" / "prices.json").read_bytes()
        try:
            compiled = table.decode(raw)
        except (msgspec.DecodeError, ValueError) as error:
            raise CatalogError(f"prices.json: {error}") from None
        return cls(load_providers(), compiled)

    def _add(self, provider: str, models: dict[str, table.Model], source: str) -> None:
        if provider not in self._providers:
            raise CatalogError(f"prices.json: `{provider}` has prices and no file in providers/")
        known = self._known[provider]
        for name, model in models.items():
            timeline = table.timeline(provider, name, model, source)
            entry = _Known(table.facts(provider, name, model), timeline, model.dated)
            for price in timeline.all():
                self._price_by_id[price.id] = price
            for identifier in (name, *model.aliases):
                known[identifier.lower()] = known[identifier] = entry
        self._listed[provider] = tuple(sorted({name for model in models for name in (model, *models[model].aliases)}))

    def provider(self, name: str) -> ProviderSpec | None:
        """By id or alias."""
        return self._by_name.get(name)

    def providers(self) -> tuple[ProviderSpec, ...]:
        return tuple(self._providers.values())

    def models(self, provider: str) -> tuple[str, ...]:
        """Every id and alias that is known at this provider, sorted. Empty for an unknown provider."""
        spec = self._by_name.get(provider)
        return self._listed.get(spec.id, ()) if spec is not None else ()

    def model(self, provider: str, model: str) -> ModelFacts | None:
        known = self._find(provider, model)
        return known.facts if known is not None else None

    def price(self, provider: str, model: str, at_ns: int) -> Price | None:
        """The price of a call that begins at `at_ns`. None: unpriced. The same answer is the same object."""
        known = self._find(provider, model)
        return known.timeline.at(at_ns) if known is not None else self._free(provider, model)

    def _free(self, provider: str, model: str) -> Price | None:
        spec = self._by_name.get(provider)
        return _FREE if spec is not None and matches(model, spec.free_models) else None

    def price_by_id(self, price_id: str) -> Price | None:
        """The row a usage record names, if this release still has it."""
        return self._price_by_id.get(price_id)

    def prices(self, provider: str, model: str) -> tuple[Price, ...]:
        """Every price row of a model, past and future ones and variants included, for showing."""
        known = self._find(provider, model)
        return known.timeline.all() if known is not None else ()

    def _find(self, provider: str, model: str) -> "_Known | None":
        spec = self._by_name.get(provider)
        if spec is None:
            return None
        known = self._known[spec.id]
        return known.get(model) or _by_rule(known, spec, model)


class _Known:
    __slots__ = ("dated", "facts", "timeline")

    def __init__(self, facts: ModelFacts, timeline: Timeline, dated: bool) -> None:
        self.facts, self.timeline, self.dated = facts, timeline, dated


def _by_rule(known: dict[str, _Known], spec: ProviderSpec, model: str) -> _Known | None:
    name = model.lower()
    for prefix in spec.model_prefixes:
        name = name.removeprefix(prefix)
    if (found := known.get(name)) is not None:
        return found
    if (fine_tuned := _FINE_TUNED.fullmatch(name)) is not None:
        return known.get(fine_tuned[1])
    if (dated := _DATED.fullmatch(name)) is not None and (base := known.get(dated[1])) is not None and base.dated:
        return base
    return None
