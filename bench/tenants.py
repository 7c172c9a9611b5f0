"""200 customers with 25 keys each, made through the door; how soon a change is seen; a start with 100,000 keys.

`python -m bench tenants`
"""

import http.client
import json
import os
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bench.gateway import Gateway, running_gateway
from bench.rig import MEASURED, OTHERS, cpu_seconds, free_port, process, resident_kib, save, table

TENANTS, KEYS_EACH = 200, 25
CALLERS = 4
SAMPLE = 500
"""Keys that make a call."""
MANY = 100_000
ASKED = {"create": 60.0, "list": 1.0, "seen": 1.0, "start": 3.0, "memory": 300.0}
"""Seconds, and MiB."""
CHAT = {"model": "@bench/bench", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}


class Caller:
    """One connection that is kept."""

    def __init__(self, port: int, credential: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"x-portkey-api-key": credential, "content-type": "application/json"}

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, dict[str, object]]:
        self._connection.request(method, path, None if body is None else json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        loaded: dict[str, object] = json.loads(answer.read())
        return answer.status, loaded

    def done(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
        status, loaded = self.ask(method, path, body)
        if status != 200:
            raise RuntimeError(f"{method} {path}: {status} {loaded}")
        return loaded

    def close(self) -> None:
        self._connection.close()


@contextmanager
def calling(port: int, credential: str) -> Iterator[Caller]:
    with closing(Caller(port, credential)) as caller:
        yield caller


def make_keys(gateway: Gateway, tenants: list[str]) -> list[str]:
    """A budget, a rate and metadata for each, as in the guide; by several callers at once."""
    made: list[str] = []

    def run(mine: list[str]) -> None:
        with calling(gateway.port, gateway.admin) as admin:
            for tenant in mine:
                for number in range(KEYS_EACH):
                    body = {
                        "name": f"{tenant} {number}",
                        "workspace_id": "bench",
                        "tenant_id": tenant,
                        "scopes": ["completions.write"],
                        "defaults": {"metadata": {"user_email": f"user{number}@{tenant}.example"}},
                        "usage_limits": {"credit_limit": 100.0, "type": "cost", "periodic_reset": "monthly"},
                        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 100}],
                    }
                    made.append(str(admin.done("POST", "/v1/api-keys/workspace/service", body)["key"]))

    threads = [threading.Thread(target=run, args=(tenants[start::CALLERS],)) for start in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(made) != len(tenants) * KEYS_EACH:
        raise RuntimeError(f"only {len(made)} keys were made")
    return made


def seen_after(gateway: Gateway, key: str, admin: Caller) -> float:
    """Seconds from the answer to a change until the data plane refuses."""
    listed = admin.done("GET", "/v1/api-keys?workspace_id=bench")["data"]
    assert isinstance(listed, list)
    key_id = next(each["id"] for each in listed if each["id"] == key.split("_")[1])
    with calling(gateway.port, key) as caller:
        caller.done("POST", "/v1/chat/completions", CHAT)
        admin.done("PUT", f"/v1/api-keys/{key_id}", {"usage_limits": {"credit_limit": 0.0, "type": "cost"}})
        changed = time.perf_counter()
        while caller.ask("POST", "/v1/chat/completions", CHAT)[0] == 200:
            pass
        return time.perf_counter() - changed


def multiply_keys(database: Path, count: int) -> None:
    """So many keys besides, each a copy of one that was made through the door, under an id and hash of its own."""
    with closing(sqlite3.connect(database)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(api_key)")]
        chosen = connection.execute("SELECT * FROM api_key WHERE tenant_id IS NOT NULL LIMIT 1").fetchone()
        row = dict(zip(columns, chosen, strict=True))
        hashes = [column for column in columns if isinstance(row[column], bytes)]
        marks = ", ".join("?" for _ in columns)
        rows = (
            [
                {**row, "id": f"bench{number:015d}", **{each: os.urandom(32) for each in hashes}}[name]
                for name in columns
            ]
            for number in range(count)
        )
        connection.executemany(f"INSERT INTO api_key ({', '.join(columns)}) VALUES ({marks})", rows)
        connection.commit()


def start_with(data_dir: Path) -> tuple[float, float]:
    """Seconds until calls are taken, and MiB resident then."""
    port, began = free_port(), time.perf_counter()
    command: list[str | Path] = [
        Path(sys.executable).parent / "headgate",
        "serve",
        "--port",
        str(port),
        "--data-dir",
        data_dir,
    ]
    with process(command, MEASURED, port) as running:
        with calling(port, "none") as caller:
            while caller.ask("GET", "/readyz")[0] != 200:
                time.sleep(0.01)
        return time.perf_counter() - began, resident_kib(running.pid) / 1024


def run() -> int:
    """1 where something took longer than was asked."""
    found: dict[str, float] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mock = free_port()
        stack.enter_context(process([sys.executable, "-m", "bench.mock", str(mock)], OTHERS, mock))
        with running_gateway(folder / "data", mock) as gateway, calling(gateway.port, gateway.admin) as admin:
            tenants = [f"customer-{number:03d}" for number in range(TENANTS)]
            for tenant in tenants:
                body = {"tenant_id": tenant, "name": tenant, "workspace_id": "bench", "monthly_budget_usd": 500}
                admin.done("POST", "/v1/admin/tenants", body)
            used, began = cpu_seconds(gateway.pid), time.perf_counter()
            made = make_keys(gateway, tenants)
            found["create"] = time.perf_counter() - began
            found["create_cpu"] = cpu_seconds(gateway.pid) - used
            began = time.perf_counter()
            listed = admin.done("GET", "/v1/api-keys?workspace_id=bench")
            found["list"] = time.perf_counter() - began
            if listed["total"] != len(made) + 1:
                raise RuntimeError(f"{listed['total']} keys are listed, {len(made) + 1} were made")
            began = time.perf_counter()
            for key in made[:: len(made) // SAMPLE]:
                with calling(gateway.port, key) as caller:
                    caller.done("POST", "/v1/chat/completions", CHAT)
            found["first_call"] = (time.perf_counter() - began) / SAMPLE
            found["seen"] = seen_after(gateway, made[-1], admin)
        multiply_keys(folder / "data" / "headgate.db", MANY - len(made))
        found["start"], found["memory"] = start_with(folder / "data")
    rows = [
        [f"make {TENANTS * KEYS_EACH:,} keys, {CALLERS} callers (s)", found["create"], ASKED["create"]],
        ["... CPU of the gateway (s)", found["create_cpu"], ""],
        [f"list {TENANTS * KEYS_EACH:,} keys in one answer (s)", found["list"], ASKED["list"]],
        ["first call of a key, connection and all (ms)", found["first_call"] * 1000, ""],
        ["a change is seen by the data plane after (s)", found["seen"], ASKED["seen"]],
        [f"start with {MANY:,} keys (s)", found["start"], ASKED["start"]],
        ["... resident then (MiB)", found["memory"], ASKED["memory"]],
    ]
    shown = [[what, f"{figure:.2f}", asked and f"<= {asked:g}"] for what, figure, asked in rows]
    table("Customers and keys, the gateway on one core", shown, ["", "measured", "asked"])
    save("tenants", {"figures": found, "asked": ASKED})
    return int(any(found[name] > most for name, most in ASKED.items()))
