"""The demo from start to end."""

import asyncio
import http.client
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from headgate.demo.calls import Planned, plan
from headgate.demo.client import Administrator, send
from headgate.demo.join import Row, join
from headgate.demo.processes import headgate, port_or_free_one
from headgate.demo.report import Done, print_books, print_calls, print_way_in, terminal
from headgate.demo.setup import STEPS, set_up
from headgate.demo.world import Customer
from headgate.ledger.record import UsageRecord
from headgate.simulator import books
from headgate.storage import usage_queries
from headgate.storage.database import open_database
from headgate.tenancy import keys as api_keys

AT_ONCE = 8
RECORDED_WITHIN_S = 15.0
DATABASE_FILE = "headgate.db"


def run(*, stay: bool, directory: Path = Path(".demo"), port: int = 8787) -> int:
    """The exit code: 0, or 1 if the books differ. With `stay`, Headgate is left running until Ctrl-C.

    Raises `NotReady` or `Refused` where something does not start or cannot be set up, both saying why.
    """
    out = terminal()
    directory.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="run-", dir=directory))
    out.print(f"Everything this demo writes is in {place}\n", soft_wrap=True)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    with ExitStack() as running:
        simulator, url, admin_key = _start(running, place, port)
        out.print(f"The simulator listens on {simulator}, Headgate on {url}\n", soft_wrap=True)
        keys = _set_up(out, url, admin_key, simulator)
        calls = _make_calls(out, url, keys)
        rows = _joined(place)
        records = {row.request_id: row.record for row in rows if row.record is not None}
        print_calls(out, calls, records)
        different = print_books(out, rows)
        if stay:
            print_way_in(out, url, keys, admin_key, _console(url))
            _wait_for_ctrl_c(out)
    return 1 if different else 0


def _end(number: int, frame: object) -> NoReturn:
    """As Ctrl-C does: the two processes are ended on the way out."""
    sys.exit(128 + number)


def _start(running: ExitStack, place: Path, port: int) -> tuple[str, str, str]:
    """Addresses of simulator and gateway, and the admin key."""
    journal = str(place / "simulator.journal")
    simulate = ("simulate", "--port", "0", "--journal", journal)
    simulator = running.enter_context(headgate(simulate, place / "simulator.log"))
    admin_key = api_keys.mint(os.urandom(api_keys.PEPPER_BYTES)).text
    serve = ("serve", "--port", str(port_or_free_one(port)), "--data-dir", str(place / "data"))
    url = running.enter_context(headgate(serve, place / "headgate.log", {"HEADGATE_ADMIN_KEY": admin_key}))
    return simulator, url, admin_key


def _progress(out: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=out, transient=True)


def _set_up(out: Console, url: str, admin_key: str, simulator: str) -> dict[Customer, str]:
    with _progress(out) as progress:
        task = progress.add_task("setting up", total=STEPS)
        keys = set_up(
            Administrator(url, admin_key), simulator, lambda what: progress.update(task, advance=1, description=what)
        )
    out.print(f"Set up three tiers, three integrations and {len(keys)} customers\n")
    return keys


def _make_calls(out: Console, url: str, keys: Mapping[Customer, str]) -> list[Done]:
    """All planned calls, several at once."""
    planned = plan()
    with _progress(out) as progress, ThreadPoolExecutor(AT_ONCE, "customer") as customers:
        task = progress.add_task("calling", total=len(planned))

        def make(one: Planned) -> Done:
            done = _call(url, one, keys[one.customer])
            progress.update(task, advance=1, description=f"{one.customer.name} {one.path}")
            return done

        return list(customers.map(make, planned))


def _call(url: str, planned: Planned, key: str) -> Done:
    try:
        answer = send(url, "POST", planned.path, planned.payload, {"Authorization": f"Bearer {key}"})
    except (OSError, http.client.HTTPException) as error:
        return Done(planned, None, f"no answer: {error}")
    return Done(planned, answer)


def _joined(place: Path) -> list[Row]:
    """Both books, once the gateway has written down all that it has settled."""
    deadline = time.monotonic() + RECORDED_WITHIN_S
    while True:
        bills = books.bills(books.read(place / "simulator.journal"))
        records = asyncio.run(_records(place / "data"))
        if bills.keys() == {record.request_id for record in records} or time.monotonic() > deadline:
            return join(bills, records)
        time.sleep(0.1)


async def _records(data_dir: Path) -> Sequence[UsageRecord]:
    database = await open_database(f"sqlite:///{(data_dir / DATABASE_FILE).absolute()}", checkpointer=False)
    try:
        return await database.read(lambda rows: usage_queries.recent(rows, usage_queries.EVERYTHING, 100_000))
    finally:
        await database.close()


def _console(url: str) -> str | None:
    return f"{url}/console" if send(url, "GET", "/console").status < 400 else None


def _wait_for_ctrl_c(out: Console) -> None:
    out.print("Ctrl-C ends it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        out.print("\nEnding.")
