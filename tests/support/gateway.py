"""A running gateway with the simulator behind it, and the administration a test needs, all through the real door."""

import itertools
import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headgate.simulator import books
from headgate.simulator.behaviours import BEHAVIOURS
from headgate.tenancy import keys
from tests.support.http import Answer, call
from tests.support.processes import running

ADDRESS = r"(http://127\.0\.0\.1:\d+)"
RECORDED_WITHIN_S = 10.0
PROVIDERS = {"openai": ("openai", "/v1"), "anthropic": ("anthropic", "/v1"), "gemini": ("google", "/v1beta")}
"""Slug of the integration: the catalog's provider id, and the version path on the simulator."""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Provider:
    """The simulator, or any other upstream, as an integration."""

    slug: str
    kind: str
    base_url: str
    models: Sequence[str]


@dataclass(slots=True)
class Gateway:
    """`url` is the gateway's; `simulator` the upstream's, with its journal. `process` is the gateway's."""

    url: str
    data_dir: Path
    admin_key: str
    process: subprocess.Popen[bytes]
    simulator: str
    journal: Path
    _keys: dict[str, str] = field(default_factory=dict)

    # -- administration ---------------------------------------------------------------------------------------------

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer. Raises `AssertionError` with the server's own words if it refuses."""
        answer = call(method, f"{self.url}/v1{path}", body, {"x-portkey-api-key": self.admin_key})
        assert answer.status == 200, f"{method} {path}: {answer.status} {answer.body.decode(errors='replace')}"
        return answer.json

    def workspace(self, name: str) -> str:
        """Creates a workspace; its slug."""
        return str(self.admin("POST", "/admin/workspaces", {"name": f"{name} {next(_numbers)}"})["slug"])

    def integrate(self, provider: Provider, workspaces: Sequence[str]) -> None:
        """Creates the integration with priced models and gives it to the workspaces."""
        body = {
            "name": provider.slug,
            "slug": provider.slug,
            "ai_provider_id": provider.kind,
            "key": f"upstream-secret-of-{provider.slug}",
            "configurations": {"custom_host": provider.base_url},
        }
        self.admin("POST", "/integrations", body)
        models = [custom_model(name) for name in provider.models]
        self.admin("PUT", f"/integrations/{provider.slug}/models", {"models": models, "allow_all_models": True})
        enabled = [{"id": workspace, "enabled": True} for workspace in workspaces]
        self.admin("PUT", f"/integrations/{provider.slug}/workspaces", {"workspaces": enabled})

    def key(self, workspace: str, **more: object) -> str:
        """A new API key of the workspace, in the clear."""
        return str(self.new_key(workspace, **more)["key"])

    def new_key(self, workspace: str, **more: object) -> dict[str, Any]:
        """The same with its id, for tests that change or revoke it."""
        body = {"name": f"key {next(_numbers)}", "workspace_id": workspace, "scopes": ["completions.write"], **more}
        made: dict[str, Any] = self.admin("POST", "/api-keys/workspace/service", body)
        return made

    # -- calls ------------------------------------------------------------------------------------------------------

    def post(self, path: str, body: object, key: str, headers: Mapping[str, str] | None = None) -> Answer:
        return call("POST", self.url + path, body, {"authorization": f"Bearer {key}", **(headers or {})})

    def chat(self, key: str, model: str, text: str = "hello there", **more: object) -> Answer:
        body = {"model": model, "max_tokens": 200, "messages": [{"role": "user", "content": text}], **more}
        return self.post("/v1/chat/completions", body, key)

    # -- books ------------------------------------------------------------------------------------------------------

    def records(self) -> dict[str, dict[str, Any]]:
        """All usage records by request id, read from the database file."""
        return usage_records(self.data_dir)

    def record(self, request_id: str | None) -> dict[str, Any]:
        """The usage record of a call. It is written off the hot path: waits for it, and raises if it does not come."""
        assert request_id, "the answer carries no x-headgate-request-id"
        return self._awaited(lambda: usage_records(self.data_dir, request_id).get(request_id), request_id)

    def record_with(self, field: str, value: object) -> dict[str, Any]:
        """The first usage record that says this. Waits for it as `record` does."""
        return self._awaited(
            lambda: next((each for each in self.records().values() if each[field] == value), None), f"{field} {value}"
        )

    def _awaited(self, look: Callable[[], dict[str, Any] | None], what: str) -> dict[str, Any]:
        deadline = time.monotonic() + RECORDED_WITHIN_S
        while time.monotonic() < deadline:
            if (found := look()) is not None:
                return found
            time.sleep(0.05)  # why: another process writes what is looked at
        raise AssertionError(f"No usage record of {what} within {RECORDED_WITHIN_S} s")

    def bills(self) -> dict[str, books.Bill]:
        """What the simulator billed, by the gateway's request id."""
        return books.bills(books.read(self.journal))

    def upstream_calls(self) -> list[books.Call]:
        return books.read(self.journal)


def custom_model(name: str) -> dict[str, object]:
    """A model at one cent per thousand tokens in and two out."""
    prices = {"request_token": {"price": 0.001}, "response_token": {"price": 0.002}}
    pricing = {"type": "static", "pay_as_you_go": prices}
    return {"slug": name, "enabled": True, "is_custom": True, "pricing_config": pricing}


def usage_records(data_dir: Path, request_id: str | None = None) -> dict[str, dict[str, Any]]:
    """The usage records of a SQLite data directory by request id, all or one, their JSON decoded; read-only."""
    which, values = ("", ()) if request_id is None else (" WHERE request_id = ?", (request_id,))
    with closing(sqlite3.connect(f"file:{data_dir / 'headgate.db'}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM usage_record" + which, values)]
    for row in rows:
        for column in ("usage", "usage_flags", "cost_lines", "metadata"):
            row[column] = json.loads(row[column])
    return {row["request_id"]: row for row in rows}


def simulated_providers(simulator: str) -> list[Provider]:
    """The simulator as OpenAI, Anthropic and Gemini, with every model it has."""
    return [Provider(slug, kind, simulator + version, list(BEHAVIOURS)) for slug, (kind, version) in PROVIDERS.items()]


@contextmanager
def started(directory: Path, environment: Mapping[str, str] | None = None) -> Iterator[Gateway]:
    """Simulator and gateway on free ports with a fresh data directory; the three integrations exist in no workspace.
    What is in `directory / "data"` already, stays; then the environment says which admin key it was founded with."""
    journal, data_dir = directory / "simulator.journal", directory / "data"
    simulate = ("simulate", "--port", "0", "--journal", journal)
    serve = ("serve", "--port", "0", "--data-dir", data_dir)
    minted = keys.mint(os.urandom(keys.PEPPER_BYTES)).text
    settings = {"HEADGATE_ADMIN_KEY": minted, **(environment or {})}
    with (
        running(simulate, directory / "simulator.log", ADDRESS) as (_, upstream),
        running(serve, directory / "gateway.log", ADDRESS, settings) as (process, address),
    ):
        yield Gateway(address[1], data_dir, settings["HEADGATE_ADMIN_KEY"], process, upstream[1], journal)
