"""What the demo prints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from headgate.base.money import usd
from headgate.base.usage import Usage
from headgate.demo.calls import Planned
from headgate.demo.client import Answer
from headgate.demo.join import Row
from headgate.demo.world import Customer
from headgate.ledger.record import UsageRecord

WIDE = 180


@dataclass(frozen=True, slots=True)
class Done:
    """A call that was made. `answer` is None where there was none at all, and `failure` says why."""

    planned: Planned
    answer: Answer | None
    failure: str = ""


def terminal() -> Console:
    """The terminal as wide as it is; wide enough for a row in one line where the output goes into a file."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDE)


def _table(title: str, texts: Sequence[str], figures: Sequence[str] = (), more: Sequence[str] = ()) -> Table:
    """Figures are never shortened; texts go on in the next line where the terminal is narrow."""
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    for name in more:
        table.add_column(name, overflow="fold")
    return table


def print_calls(out: Console, calls: Sequence[Done], records: Mapping[str, UsageRecord]) -> None:
    """Who, what, tokens, cost, latency, outcome."""
    table = _table("What happened", ("who", "asked", "model"), ("in", "out", "cost $", "first ms", "ms"), ("outcome",))
    for done in calls:
        record = records.get(done.answer.request_id) if done.answer else None
        table.add_row(*_call_cells(done, record))
    out.print(table)
    total = sum(record.cost for record in records.values())
    out.print(f"[bold]{len(calls)} calls, {len(records)} of them at a provider, for ${usd(total)}[/bold]\n")


def _call_cells(done: Done, record: UsageRecord | None) -> list[str]:
    planned, answer = done.planned, done.answer
    asked = planned.path.removeprefix("/v1/") + (" (stream)" if planned.stream else "")
    who = f"{planned.customer.name} [dim]{planned.customer.tier.slug}[/dim]"
    if answer is None:
        return [who, asked, planned.model, "", "", "", "", "", f"[red]{done.failure}[/red]"]
    times = [f"{answer.first_byte_s * 1000:.0f}", f"{answer.total_s * 1000:.0f}"]
    tokens, cost = ["", ""], ""
    if record is not None:
        usage = Usage(record.usage)
        tokens, cost = [str(usage.input_tokens), str(usage.output_tokens)], usd(record.cost)
    return [who, asked, planned.model, *tokens, cost, *times, _outcome(done, answer, record)]


def _outcome(done: Done, answer: Answer, record: UsageRecord | None) -> str:
    special = f" [dim]{done.planned.what}[/dim]" if done.planned.what else ""
    if answer.status >= 400:
        who = "provider" if answer.headers.get("x-headgate-source") == "provider" else "refused"
        return f"[yellow]{answer.status} {who}[/yellow]{special}"
    if record is None:
        return f"[red]{answer.status}, not recorded[/red]{special}"
    colour = "green" if record.outcome == "ok" else "yellow"
    estimated = ", estimated" if record.usage_source == "estimated" else ""
    return f"[{colour}]{answer.status} {record.outcome}{estimated}[/{colour}]{special}"


def print_books(out: Console, rows: Sequence[Row]) -> int:
    """The joined books; how many rows differ."""
    columns = ("request id", "model", "the simulator billed", "Headgate recorded", "difference")
    table = _table("The joined books", columns)
    for row in rows:
        table.add_row(row.request_id, _model(row), _billed(row), _recorded(row), _verdict(row))
    out.print(table)
    different = sum(1 for row in rows if row.difference)
    estimated = sum(1 for row in rows if row.estimated)
    colour = "red" if different else "green"
    out.print(f"[bold {colour}]{len(rows)} rows, {different} differ[/bold {colour}], {estimated} are estimated\n")
    return different


def _model(row: Row) -> str:
    if row.record is not None:
        return f"@{row.record.provider}/{row.record.model}"
    return "" if row.bill is None else row.bill.calls[-1].intent.model


def _billed(row: Row) -> str:
    return "[red]nothing known[/red]" if row.bill is None else _meters(row.bill.usage)


def _recorded(row: Row) -> str:
    return "[red]nothing[/red]" if row.record is None else _meters(row.record.usage)


def _meters(usage: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {meter}" for meter, count in sorted(usage.items()) if count) or "[dim]nothing[/dim]"


def _verdict(row: Row) -> str:
    if row.difference:
        return f"[red]{row.difference}[/red]"
    return "[yellow]none; estimated, not below[/yellow]" if row.estimated else "[green]none[/green]"


def print_way_in(out: Console, url: str, keys: Mapping[Customer, str], admin_key: str, console_url: str | None) -> None:
    """A line to try, two keys, and what opens the console."""
    (first, key), *_, (last, other) = keys.items()
    out.print(f"[bold]Headgate is at {url}[/bold]. Two of its keys:\n")
    out.print(f"  {first.name} ({first.tier.slug})  {key}", highlight=False, soft_wrap=True)
    out.print(f"  {last.name} ({last.tier.slug})  {other}\n", highlight=False, soft_wrap=True)
    line = (
        f"curl {url}/v1/chat/completions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' "
        """-d '{"model": "@anthropic/sim-fast", "messages": [{"role": "user", "content": "hello"}]}'"""
    )
    out.print(line + "\n", highlight=False, soft_wrap=True, markup=False)
    if console_url is not None:
        out.print(f"The console: {console_url}\nSign in with {admin_key}\n", highlight=False, soft_wrap=True)
