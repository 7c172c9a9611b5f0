"""Compiling the table: exact amounts, rows by date and hour, and what happens where the sources disagree."""

import json
import sys
import zipfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from headgate.catalog import rows
from headgate.catalog.build import Report, build, compile_table
from headgate.catalog.catalog import Catalog
from headgate.catalog.provider import CatalogError, load_providers
from headgate.catalog.sources import second
from headgate.catalog.table import decode

SPECS = load_providers()
DAY = "2026-11-21"


def flat(**dollars: str) -> dict[str, Any]:
    return {key: {"base": amount, "tiers": []} for key, amount in dollars.items()}


def entry(*prices: Mapping[str, Any], names: list[str], **more: Any) -> dict[str, Any]:
    return {"names": names, "dated": False, "context": None, "prices": list(prices), "variants": [], **more}


def compiled(
    tmp_path: Path, models: dict[str, Any], facts: dict[str, Any], matched: dict[str, list[str]] | None = None
) -> tuple[Catalog, Report]:
    map_file = tmp_path / "map.json"
    map_file.write_text(
        json.dumps({"sample_spec": {}, **{name: {"litellm_provider": "openai", **f} for name, f in facts.items()}})
    )
    first = {"version": "9.9", "providers": {"openai": {"models": models, "matched": matched or {}}}}
    raw, report = compile_table([SPECS["openai"]], first, second.read(map_file, "8.8"), DAY)
    return Catalog(SPECS, decode(raw)), report


def test_amounts_are_exact_or_refused() -> None:
    """Dollars per million tokens or per thousand calls become whole nano-dollars per million, or are refused."""
    assert rows.rate("input_mtok", "0.003625") == 3_625_000
    assert rows.rate("web_searches_kcount", "10") == 10_000_000_000_000
    assert rows.rate("cache_write_mtok", "0.08333333333333334") == 83_333_334
    for wrong in ("0.0000000001", "-1"):
        with pytest.raises(ValueError) as refused:
            rows.rate("input_mtok", wrong)
        assert wrong in str(refused.value)


def test_rows_by_date_and_hour(tmp_path: Path) -> None:
    """A later entry replaces an earlier one from its day on; one with hours replaces both for those hours."""
    prices: list[dict[str, Any]] = [
        {"prices": flat(input_mtok="2", output_mtok="4")},
        {"since": "2026-03-01", "prices": flat(input_mtok="1", output_mtok="4")},
        {"hours": ["22:00", "02:00"], "prices": flat(input_mtok="3", output_mtok="4")},
    ]
    catalog, _ = compiled(tmp_path, {"m": entry(*prices, names=["m"])}, {})
    march = 1_772_323_200 * 1_000_000_000
    hour = 3_600 * 1_000_000_000
    moments = {march - 3 * hour: 2, march - hour: 3, march + hour: 3, march + 2 * hour: 1, march + 21 * hour: 1}
    for moment, dollars in moments.items():
        price = catalog.price("openai", "m", moment)
        assert price is not None
        assert price.rates.rate("input") == dollars * 1_000_000_000, moment


def test_tiers_carry_every_meter(tmp_path: Path) -> None:
    """In a tier the meters without a tier of their own keep their rate."""
    amounts = {**flat(output_mtok="4"), "input_mtok": {"base": "1", "tiers": [[1_000, "2"]]}}
    catalog, _ = compiled(tmp_path, {"m": entry({"prices": amounts}, names=["m"])}, {})
    price = catalog.price("openai", "m", 0)
    assert price is not None
    assert [price.rates_at(n).rate("input") for n in (1_000, 1_001)] == [1_000_000_000, 2_000_000_000]
    assert price.rates_at(1_001).rate("output") == 4_000_000_000


def test_sources_that_disagree(tmp_path: Path) -> None:
    """The first source's rate stands; the second's is flagged on the price and listed in the report."""
    facts = {"m": {"input_cost_per_token": 3e-06, "output_cost_per_token": 4e-06, "max_output_tokens": 100}}
    models = {"m": entry({"prices": flat(input_mtok="1", output_mtok="4")}, names=["m"], context=10)}
    catalog, report = compiled(tmp_path, models, facts)
    price, known = catalog.price("openai", "m", 0), catalog.model("openai", "m")
    assert price is not None
    assert known is not None
    assert (price.rates.rate("input"), price.disputed) == (1_000_000_000, {"input": 3_000_000_000})
    assert report.disagreements == [("openai", "m", "input", 1_000_000_000, 3_000_000_000)]
    assert "| openai | `m` | input | 1 | 3 |" in report.markdown()
    assert (known.context_window, known.max_output) == (10, 100)


def test_a_pattern_is_no_price(tmp_path: Path) -> None:
    """An id that the first source only matches by a pattern is taken at the rates of the second, else left out."""
    models = {"m": entry({"prices": flat(input_mtok="1", output_mtok="4")}, names=["m"])}
    same = {"input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06}
    facts = {"m-small": same, "m-large": {**same, "input_cost_per_token": 5e-06}}
    catalog, report = compiled(tmp_path, models, facts, {name: ["openai", "m"] for name in facts})
    assert catalog.price("openai", "m-small", 0) is catalog.price("openai", "m", 0)
    assert catalog.price("openai", "m-large", 0) is None
    assert [name for _, name, _ in report.left_out] == ["m-large"]


def test_a_rate_that_only_the_second_source_has(tmp_path: Path) -> None:
    """It is not billed; the meter is marked so that it does not pass as the cheaper plain kind."""
    facts = {"m": {"input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06, "input_cost_per_audio_token": 9e-06}}
    models = {"m": entry({"prices": flat(input_mtok="1", output_mtok="4")}, names=["m"])}
    catalog, _ = compiled(tmp_path, models, facts)
    price = catalog.price("openai", "m", 0)
    assert price is not None
    assert price.rates.rate("input_audio") is None
    assert price.rates.rate("input_image") == 1_000_000_000


def test_a_window_below_a_tier_is_not_believed(tmp_path: Path) -> None:
    """A price tier above 1,000 tokens proves that a window of 1,000 is not the whole window."""
    amounts = {**flat(output_mtok="4"), "input_mtok": {"base": "1", "tiers": [[1_000, "2"]]}}
    catalog, _ = compiled(tmp_path, {"m": entry({"prices": amounts}, names=["m"], context=1_000)}, {})
    known = catalog.model("openai", "m")
    assert known is not None
    assert known.context_window is None


def test_price_ids_change_with_the_price(tmp_path: Path) -> None:
    """An id never means two prices, so a usage record can be explained for ever."""
    ids = []
    for dollars in ("1", "2"):
        model = entry({"prices": flat(input_mtok=dollars, output_mtok="4")}, names=["m"])
        catalog, _ = compiled(tmp_path, {"m": model}, {})
        price = catalog.price("openai", "m", 0)
        assert price is not None
        ids.append(price.id)
    assert ids[0] != ids[1]
    assert all(one.startswith("openai/m@start#") for one in ids)


def test_the_map_is_read_from_json_or_wheel(tmp_path: Path) -> None:
    """Both give the same facts; the wheel's name gives its version. Another file is refused."""
    text = json.dumps({"sample_spec": {}, "m": {"litellm_provider": "openai", "max_output_tokens": "4096"}})
    plain, wheel = tmp_path / "map.json", tmp_path / "litellm-1.2.3-py3-none-any.whl"
    plain.write_text(text)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("litellm/model_prices_and_context_window_backup.json", text)
    from_wheel = second.read(wheel)
    assert from_wheel.version == "1.2.3"
    assert from_wheel.by_provider == second.read(plain).by_provider
    assert from_wheel.of(("openai",), "")["m"].output == 4096
    plain.write_text("{}")
    with pytest.raises(ValueError) as refused:
        second.read(plain)
    assert "map.json" in str(refused.value)


def test_a_python_without_the_price_package_is_named(tmp_path: Path) -> None:
    """The build says what is missing, and leaves the old table as it was."""
    map_file, output = tmp_path / "map.json", tmp_path / "prices.json"
    map_file.write_text('{"sample_spec": {}}')
    output.write_text("old")
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(CatalogError) as refused:
        build(output, facts=map_file, python=bare)
    assert "genai_prices" in str(refused.value)
    assert output.read_text() == "old"


def test_the_shipped_table_is_small_and_names_its_sources() -> None:
    """Under 600 kB, a model a line, with the name, version and licence of both sources."""
    raw = (files("headgate.catalog") / "data" / "prices.json").read_bytes()
    table = decode(raw)
    assert len(raw) < 600_000
    assert [(source.name.split()[0], source.licence) for source in table.sources] == [
        ("genai-prices", "MIT"),
        ("litellm", "MIT"),
    ]
    assert all(source.version for source in table.sources)
    assert raw.count(b"\n") > sum(len(models) for models in table.providers.values())
