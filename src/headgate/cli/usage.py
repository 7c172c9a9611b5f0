"""`headgate usage`: any cent, from who spent it to the price row; records for files. Works beside a running server."""

import asyncio
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import typer

from headgate.base.clock import NANOS_PER_MS, NANOS_PER_SECOND
from headgate.base.money import usd
from headgate.base.usage import INPUT_METERS
from headgate.catalog.catalog import Catalog
from headgate.catalog.multiplier import factor_of, unmultiplied
from headgate.catalog.price import Price
from headgate.cli.options import Config, DataDir, settings_from
from headgate.cli.pairs import pairs
from headgate.cli.table import print_table
from headgate.ledger.correction import CORRECTED
from headgate.ledger.record import UsageRecord
from headgate.tenancy.admission import FALLBACK
from headgate.tenancy.usage_export import ExportFormat

app = typer.Typer(no_args_is_help=True, help="Usage records: the immutable facts about calls.")


@app.command()
def explain(
    request_id: Annotated[str, typer.Argument(help="`req_...`, from the header x-headgate-request-id.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Print who made a call, what it used, and how each line of its cost comes about."""
    from headgate.process.look import usage_record

    record = asyncio.run(usage_record(settings_from(data_dir=data_dir, config=config), request_id))
    print_explanation(record, Catalog.load().price_by_id(unmultiplied(record.price_id)[0]))


@app.command()
def export(
    form: Annotated[ExportFormat, typer.Option("--format", help="How each record is written.")] = ExportFormat.JSONL,
    filters: Annotated[
        list[str] | None, typer.Option("--filter", help="`NAME=VALUE`, as on /v1/logs; may be repeated.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", help="One to write; may be repeated. Without it, all.")
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write usage records to standard output, oldest first: the last 30 days, or those of the filters."""
    from headgate.process.export import usage_lines

    settings = settings_from(data_dir=data_dir, config=config)

    async def write() -> None:
        async for text in usage_lines(settings, pairs(filters or [], "--filter"), columns or [], form):
            sys.stdout.buffer.write(text)
        sys.stdout.flush()

    asyncio.run(write())


def print_explanation(record: UsageRecord, price: Price | None) -> None:
    """`price` is the row the record names, where this release still has it, as it was before the integration's
    multipliers: the lines carry the rates that were charged either way."""
    for label, text in _facts(record, price):
        print(f"{label:<10}{text}")
    print()
    rows = [(meter, count, usd(rate, 9), usd(nanos, 9)) for meter, count, rate, nanos in record.cost_lines]
    print_table(("METER", "COUNT", "USD PER MILLION", "USD"), [*rows, ("total", "", "", usd(record.cost, 9))])
    if price is not None and (factors := unmultiplied(record.price_id)[1]):
        _print_multiplied(record, price, factors)


def _print_multiplied(record: UsageRecord, price: Price, factors: str) -> None:
    """How the rates that were charged come about."""
    used = sum(record.usage.get(meter, 0) for meter in INPUT_METERS)
    rates = price.rates_at(used)
    rows = [
        (meter, usd(listed, 9), factor_of(factors, meter), usd(rate, 9))
        for meter, _, rate, _ in record.cost_lines
        if (listed := rates.rate(meter)) is not None
    ]
    print()
    print_table(("METER", "LISTED", "TIMES", "USD PER MILLION"), rows)


_SOURCES = {
    "provider": "as the provider reported it",
    "counted": "as the request shows it",
    "estimated": "estimated: an upper bound",
}


def _facts(record: UsageRecord, price: Price | None) -> list[tuple[str, str]]:
    started = datetime.fromtimestamp(record.started_at // NANOS_PER_SECOND, UTC)
    waited = (
        "" if record.first_byte_after is None else f", first byte after {record.first_byte_after // NANOS_PER_MS} ms"
    )
    names = [f"organization {record.organization_id}", f"workspace {record.workspace_id}", f"key {record.key_id}"]
    if record.tenant_id is not None:
        names.insert(2, f"tenant {record.tenant_id}")
    flags = f" ({', '.join(record.usage_flags)})" if record.usage_flags else ""
    facts = [
        ("request", f"{record.request_id}, trace {record.trace_id}"),
        ("when", f"{started:%Y-%m-%d %H:%M:%S} UTC, {Decimal(record.ended_after // NANOS_PER_MS) / 1000} s{waited}"),
        ("who", ", ".join(names)),
        ("asked", f"{record.endpoint} for `{record.model_asked}`{', streamed' if record.stream else ''}"),
        (
            "sent",
            f"`{record.model}` to @{record.provider} ({record.provider_kind}), integration {record.integration_id}",
        ),
        ("outcome", f"{record.outcome}, HTTP {record.status}, attempts: {record.attempts}"),
        (
            "usage",
            f"{_SOURCES.get(record.usage_source, record.usage_source)}{flags}",
        ),
        ("price", _price(record, price)),
    ]
    if CORRECTED in record.usage_flags:
        held = record.held[2]
        facts.append(
            (
                "corrected",
                f"it was charged ${usd(held, 9)} as held, until its results were read: {_change(held, record)}",
            )
        )
    if record.metadata:
        facts.append(("metadata", ", ".join(f"{key}={value}" for key, value in sorted(record.metadata.items()))))
    if record.error:
        facts.append(("error", record.error))
    return facts


def _change(held: int, record: UsageRecord) -> str:
    more = record.cost - held
    return f"${usd(-more, 9)} came back" if more <= 0 else f"${usd(more, 9)} came on top"


def _price(record: UsageRecord, price: Price | None) -> str:
    price_id, factors = unmultiplied(record.price_id)
    found = _unmultiplied(price_id, price)
    if not factors:
        return found
    return f"{found}; multiplied by the integration: {factors.replace('=', ' x ').replace(',', ', ')}"


def _unmultiplied(price_id: str, price: Price | None) -> str:
    if not price_id:
        return "none: this model has no known price"
    if price_id == FALLBACK:
        return "an administrator's fallback for models without a price"
    if price_id.startswith("custom:"):
        return f"{price_id}, an administrator's own"
    if price is None:
        return f"{price_id}, which this release no longer has; the lines carry its rates"
    since = datetime.fromtimestamp(price.effective_from // NANOS_PER_SECOND, UTC)
    valid = f", valid from {since:%Y-%m-%d}" if price.effective_from else ""
    return f"{price.id}{valid}{f', from {price.source}' if price.source else ''}"
