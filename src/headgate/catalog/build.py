"""`headgate prices build`: from two public collections of facts to the catalog's own integer table.

The first source (genai-prices) prices; the second (LiteLLM's map) brings token limits and checks. Where they disagree
the first stands and the table says so. What the first only matches by a pattern is taken where the second lists that
very id at the same rates, and left unpriced otherwise. Amounts are exact: one that is no whole number of
nano-dollars per million units is an error.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec

from headgate.base import usage as meters
from headgate.base.clock import Clock, SystemClock
from headgate.base.money import usd
from headgate.catalog import rows
from headgate.catalog.provider import CatalogError, PriceSources, ProviderSpec, load_providers
from headgate.catalog.sources import second as second_source
from headgate.catalog.sources.second import SecondOpinion, SecondSource
from headgate.catalog.table import FORMAT, Model, Source, decode

_COMPARED = (meters.INPUT, meters.OUTPUT)
_NANOS_PER_DAY = 86_400 * 1_000_000_000


@dataclass(slots=True)
class Report:
    """What a build did, for the one who reviews the table."""

    as_of: str
    sources: tuple[Source, ...]
    models: dict[str, int] = field(default_factory=dict)
    disagreements: list[tuple[str, str, str, int, int]] = field(default_factory=list)
    """Provider, model, meter, the first source's rate (which stands), the second's."""
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    """Provider, model, why it has no price."""
    size: int = 0

    def markdown(self) -> str:
        """The page `docs/reference/price-disagreements.md`."""
        named = " and ".join(f"{source.name} {source.version}" for source in self.sources)
        lines = [
            "# Where the price sources disagree",
            "",
            f"Written by `headgate prices build` on {self.as_of} from {named}.",
            "",
            "US dollars per million tokens, at the prices of that day. Headgate charges the first source's price and",
            "marks it `disputed`. An administrator who knows better sets the integration's own price.",
            "",
            "| Provider | Model | Meter | Used | Second source |",
            "|---|---|---|--:|--:|",
        ]
        lines += [
            f"| {p} | `{m}` | {meter} | {_usd(ours)} | {_usd(other)} |"
            for p, m, meter, ours, other in self.disagreements
        ]
        lines += ["", "## Left without a price", "", "| Provider | Model | Why |", "|---|---|---|"]
        lines += [f"| {provider} | `{model}` | {why} |" for provider, model, why in self.left_out]
        return "\n".join(lines) + "\n"


def build(
    output: Path, *, facts: Path, facts_version: str = "", python: Path | None = None, clock: Clock | None = None
) -> Report:
    """Compile the table and write it to `output`.

    `facts` is LiteLLM's map, as JSON or as the wheel that carries it; `python` an interpreter that has genai-prices
    installed (it runs in a process of its own; the default is this one's interpreter). Raises `CatalogError` saying
    what is missing, and `ValueError` for amounts that are not exact. Nothing is written then.
    """
    specs = [spec for spec in load_providers().values() if spec.prices is not None]
    second = second_source.read(facts, facts_version)
    first = _read_first(specs, second, python or Path(sys.executable))
    day = (clock or SystemClock()).now() // _NANOS_PER_DAY
    as_of = date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()
    raw, report = compile_table(specs, first, second, as_of)
    output.write_bytes(raw)
    return report


def compile_table(
    specs: Iterable[ProviderSpec], first: Mapping[str, Any], second: SecondSource, as_of: str
) -> tuple[bytes, Report]:
    """The file's bytes, from what `sources/first.py` printed and the second source, as seen on the day `as_of`."""
    sources = (
        Source("genai-prices", first["version"], "MIT", "prices"),
        Source("litellm model_prices_and_context_window", second.version, "MIT", "token limits, cross-check"),
    )
    report = Report(as_of, sources)
    providers = {spec.id: _Compiler(spec, first["providers"], second, report).models() for spec in specs}
    raw = _encode(report, providers)
    decode(raw)
    report.size = len(raw)
    return raw, report


def _read_first(specs: list[ProviderSpec], second: SecondSource, python: Path) -> dict[str, Any]:
    wanted = {sources.first: sorted(_opinions(second, sources)) for spec in specs if (sources := spec.prices)}
    with as_file(files(__package__) / "sources" / "first.py") as script:
        done = subprocess.run([python, script], input=json.dumps(wanted), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CatalogError(
            f"genai-prices could not be read with {python.name} (install it there, or name another Python): "
            f"{done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no message'}"
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _opinions(second: SecondSource, sources: PriceSources) -> dict[str, SecondOpinion]:
    return second.of(sources.second, sources.second_prefix)


class _Compiler:
    """One provider's models."""

    def __init__(self, spec: ProviderSpec, first: dict[str, Any], second: SecondSource, report: Report) -> None:
        assert spec.prices is not None
        self._spec, self._sources, self._first, self._report = spec, spec.prices, first, report
        self._opinions = _opinions(second, spec.prices)
        self._by_lower = {name.lower(): opinion for name, opinion in self._opinions.items()}

    def models(self) -> dict[str, Model]:
        own = self._first[self._sources.first]
        aliases, borrowed = self._matches(own["matched"])
        compiled: dict[str, Model] = {}
        for name, entry in {**own["models"], **borrowed}.items():
            if self._served(name):
                found = self._model(name, entry, aliases.get(name, []))
                if found is not None:
                    compiled[found[0]] = found[1]
        self._report.models[self._spec.id] = len(compiled)
        return dict(sorted(compiled.items()))

    def _matches(self, matched: dict[str, list[str]]) -> tuple[dict[str, list[str]], dict[str, Any]]:
        """Ids of the second source that the first covers by a pattern, or with another provider's model."""
        aliases: dict[str, list[str]] = {}
        borrowed: dict[str, Any] = {}
        for candidate, (owner, name) in sorted(matched.items()):
            entry = self._first.get(owner, {"models": {}})["models"].get(name)
            if entry is None or not self._served(name):
                continue
            if candidate.lower() in {known.lower() for known in entry["names"]} and owner == self._sources.first:
                continue
            if not self._agrees(candidate, entry):
                self._leave_out(candidate, f"covered by a pattern of `{name}`, at other rates in the second source")
            elif owner == self._sources.first:
                aliases.setdefault(name, []).append(candidate)
            else:
                borrowed[candidate] = {**entry, "names": [candidate], "dated": False}
        return aliases, borrowed

    def _agrees(self, candidate: str, entry: dict[str, Any]) -> bool:
        current = rows.current(entry["prices"], self._report.as_of)
        rates, opinion = rows.rates_of(current, 0), self._opinions[candidate]
        return bool(rates) and all(rates.get(meter, 0) == opinion.rates.get(meter, 0) for meter in _COMPARED)

    def _model(self, name: str, entry: dict[str, Any], more: list[str]) -> tuple[str, Model] | None:
        """The model under the source's name for it where that is an id; else under the first that is."""
        names = sorted({*entry["names"], *more})
        prices = entry["prices"]
        if name.endswith(":free") and not any(price["prices"] for price in prices):
            names = [alias for alias in names if alias.endswith(":free")]
            prices = [{"prices": {"input_mtok": rows.NOTHING, "output_mtok": rows.NOTHING}}]
        current = rows.rates_of(rows.current(prices, self._report.as_of), 0)
        if meters.INPUT not in current and meters.OUTPUT not in current:
            self._leave_out(name, "no price per token in the first source")
            return None
        if not names:
            self._leave_out(name, "the first source names no exact id")
            return None
        name = name if name in names else names[0]
        opinions = [self._by_lower[alias.lower()] for alias in (name, *names) if alias.lower() in self._by_lower]
        unknown = self._unknown(current, prices, opinions)
        dated, daily = rows.compile_rows(self._spec.id, name, prices, unknown)
        return name, Model(
            prices=dated,
            daily=daily,
            variants=rows.compile_variants(self._spec.id, name, prices, entry["variants"], unknown),
            aliases=tuple(alias for alias in names if alias != name),
            dated=entry["dated"],
            context=rows.context_window([entry["context"], *(opinion.context for opinion in opinions)], dated),
            output=max((opinion.output for opinion in opinions if opinion.output), default=None),
            kind=next((opinion.kind for opinion in opinions if opinion.kind != "other"), "chat"),
            can=tuple(sorted({ability for opinion in opinions for ability in opinion.can})),
            unknown=tuple(unknown),
            disputed=self._disputed(name, [current, *(row.rates for row in daily)], opinions),
        )

    def _unknown(self, current: dict[str, int], prices: list[Any], opinions: list[SecondOpinion]) -> list[str]:
        """Meters that must not fall back to a plainer one, because the second source knows a dearer rate."""
        found = {
            meter for opinion in opinions for meter, rate in opinion.rates.items() if rows.dearer(meter, rate, current)
        }
        if (
            any("audio_hours" in key for price in prices for key in price["prices"])
            and meters.INPUT_AUDIO not in current
        ):
            found.add(meters.INPUT_AUDIO)
        return sorted(found - current.keys())

    def _disputed(self, name: str, ours: list[dict[str, int]], opinions: list[SecondOpinion]) -> dict[str, int]:
        """Rates of the second source that are none of ours today, whatever the hour."""
        disputed: dict[str, int] = {}
        for meter in _COMPARED:
            known = {rates[meter] for rates in ours if meter in rates}
            other = [o.rates[meter] for o in opinions if meter in o.rates and o.rates[meter] not in known]
            if known and other:
                disputed[meter] = other[0]
                self._report.disagreements.append((self._spec.id, name, meter, ours[0][meter], other[0]))
        return disputed

    def _served(self, name: str) -> bool:
        return rows.matches(name, self._sources.only) and not rows.matches(name, self._sources.skip)

    def _leave_out(self, name: str, why: str) -> None:
        self._report.left_out.append((self._spec.id, name, why))


def _encode(report: Report, providers: dict[str, dict[str, Model]]) -> bytes:
    """One model a line, so that a review reads as a list of changed models."""

    encode = msgspec.json.encode

    def lines() -> Iterator[bytes]:
        yield b'{"format": %d, "as_of": %s,' % (FORMAT, encode(report.as_of))
        yield b'"sources": ' + encode(report.sources) + b","
        yield b'"providers": {'
        last_provider = next(reversed(providers))
        for provider, models in providers.items():
            yield encode(provider) + b": {"
            yield b",\n".join(
                msgspec.json.encode(name) + b": " + msgspec.json.encode(model) for name, model in models.items()
            )
            yield b"}" if provider == last_provider else b"},"
        yield b"}}"

    return b"\n".join(lines()) + b"\n"


def _usd(rate: int) -> str:
    """Dollars per million units."""
    return usd(rate, 9).rstrip("0").rstrip(".")
