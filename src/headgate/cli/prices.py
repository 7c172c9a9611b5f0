"""`headgate prices`: the compiled price table. The server reads the table and never the sources it is built from."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import HeadgateError, NotFound
from headgate.base.money import usd
from headgate.catalog.catalog import Catalog
from headgate.catalog.price import Price, Rates
from headgate.catalog.provider import CatalogError
from headgate.cli.table import print_table

app = typer.Typer(no_args_is_help=True, help="Prices: what is known, and how the table is made.")

_CATALOG = Path(__file__).parent.parent / "catalog" / "data" / "prices.json"


@app.command()
def show(
    provider: Annotated[str, typer.Argument(help="The provider's id: openai, anthropic, gemini ...")],
    model: Annotated[str, typer.Argument(help="The model's id at the provider.")],
) -> None:
    """Print every known price of a model, in US dollars per million, with the day it holds from."""
    catalog = Catalog.load()
    if catalog.provider(provider) is None:
        known = ", ".join(spec.id for spec in catalog.providers())
        raise NotFound(f"There is no provider `{provider}`. Known: {known}.")
    if not (prices := catalog.prices(provider, model)):
        raise NotFound(
            f"`{model}` of {provider} has no known price. Where a budget applies, calls to it are refused until an "
            "administrator sets a price on the integration."
        )
    print_table(
        ("PRICE", "FROM", "INPUT ABOVE", "METER", "USD PER MILLION"), [row for price in prices for row in _rows(price)]
    )
    print(f"Source: {prices[0].source}, table of {catalog.as_of}.")
    for meter, rate in prices[0].disputed.items():
        print(f"Disputed: a second source says {usd(rate, 6)} for {meter}. The price above is the one charged.")


@app.command()
def build(
    facts: Annotated[Path, typer.Option(help="LiteLLM's map of models, as JSON or as the wheel that carries it.")],
    facts_version: Annotated[str, typer.Option(help="Its version, where the file does not tell.")] = "",
    python: Annotated[Path | None, typer.Option(help="An interpreter that has genai-prices installed.")] = None,
    output: Annotated[Path, typer.Option(help="Where the table goes.", show_default="the package's own")] = _CATALOG,
    report: Annotated[Path | None, typer.Option(help="Where the page on disagreements goes.")] = None,
) -> None:
    """Compile the price table from its two sources, and say where they disagree."""
    from headgate.catalog.build import build as compile_table

    try:
        done = compile_table(output, facts=facts, facts_version=facts_version, python=python)
    except (CatalogError, ValueError, OSError) as error:
        raise HeadgateError(f"The table was not built: {error}") from None
    if report is not None:
        report.write_text(done.markdown(), encoding="utf-8")
    print_table(("PROVIDER", "MODELS"), sorted(done.models.items()))
    print(
        f"{len(done.disagreements)} disagreements, {len(done.left_out)} models left without a price, {done.size} bytes."
    )


def _rows(price: Price) -> list[tuple[object, ...]]:
    since = datetime.fromtimestamp(price.effective_from // NANOS_PER_SECOND, UTC)
    steps: list[tuple[int, Rates]] = [(0, price.rates), *price.tiers]
    return [
        (price.id, f"{since:%Y-%m-%d}" if price.effective_from else "", above or "", meter, usd(rate, 6))
        for above, rates in steps
        for meter, rate in rates.by_meter.items()
    ]
