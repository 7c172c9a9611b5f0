"""Headgate, as a gateway to be tried: the real process, its own defaults, budgets by its own administration."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.overspend.play import WITHIN_S, Books
from bench.overspend.scene import MODELS, PRICES, Scene
from headgate.simulator import books
from tests.support.gateway import Provider
from tests.support.http import call
from tests.support.mortal import Mortal

NANOS_PER_CENT = 10_000_000
FALLBACK = {
    "strategy": {"mode": "fallback"},
    "targets": [{"override_params": {"model": "@sim/failing"}}, {"override_params": {"model": "@sim/dearer"}}],
}


class Headgate:
    """Implements `play.Tried`."""

    name = "Headgate"

    def __init__(self, lives: Mortal, workspace: str) -> None:
        self._lives = lives
        self.workspace = workspace
        body = {"name": "dearer", "workspace_id": workspace, "config": FALLBACK}
        self._fallback = str(lives.gateway.admin("POST", "/configs", body)["data"]["slug"])
        self._ids: dict[str, str] = {}
        self.journal = lives.gateway.journal

    def model(self, name: str) -> str:
        return f"@sim/{name}"

    @property
    def url(self) -> str:
        return self._lives.gateway.url

    def new_key(self, scene: Scene) -> str:
        config = {"defaults": {"config_id": self._fallback}} if scene.model == "failing" else {}
        budget = {"credit_limit": scene.dollars}
        made = self._lives.gateway.new_key(self.workspace, usage_limits=budget, **config)
        key = str(made["key"])
        self._ids[key] = made["id"]
        return key

    def edit(self, key: str, dollars: float) -> None:
        self._lives.gateway.admin("PUT", f"/api-keys/{self._ids[key]}", {"usage_limits": {"credit_limit": dollars}})

    def kill(self) -> None:
        self._lives.gateway.process.kill()

    def start_again(self) -> None:
        self._lives.dead()
        self._lives.start()

    def records(self) -> dict[str, dict[str, Any]]:
        """All usage records by request id."""
        return self._lives.gateway.records()

    def books(self, key: str, billed: list[books.Call]) -> Books:
        """A call is doubled if it was recorded as used and never billed, or if the budget counts more than the records
        do. A provider's error is billed to nobody: where a fallback answered instead, it is in that call's record."""
        gateway, sent = self._lives.gateway, {each.intent.request_id for each in billed if each.usage}
        deadline = time.monotonic() + WITHIN_S
        while (missing := sent - self.records().keys()) and time.monotonic() < deadline:
            time.sleep(0.1)
        rows = [row for row in self.records().values() if row["key_id"] == self._ids[key]]
        told = [row for row in rows if row["usage"] and row["usage_source"] == "provider"]
        unbilled = [row for row in told if row["request_id"] not in sent]
        answer = call("GET", f"{gateway.url}/v1/limits", None, {"authorization": f"Bearer {key}"})
        [budget] = answer.json["data"]
        counted_twice = budget["used"] > sum(row["cost"] for row in rows)
        recovered = [row for row in rows if row["outcome"] == "recovered" and row["request_id"] not in sent]
        return Books(len(missing), len(unbilled) + counted_twice, sum(row["cost"] for row in recovered))


@contextmanager
def headgate(directory: Path, simulator: str, journal: Path) -> Iterator[Headgate]:
    """Runs until the block ends."""
    lives = Mortal(directory, simulator, {}, journal)
    try:
        lives.start()
        yield Headgate(lives, set_up(lives))
    finally:
        lives.end()


def set_up(lives: Mortal) -> str:
    """A workspace with the simulator as its integration: every model has the price that it bills, but one."""
    gateway = lives.gateway
    workspace = gateway.workspace("overspend")
    gateway.integrate(Provider("sim", "openai", gateway.simulator + "/v1", []), [workspace])
    models = [
        {"slug": name, "enabled": True, "is_custom": True, "pricing_config": {"pay_as_you_go": _prices(name)}}
        for name in MODELS
        if name not in ("unpriced", "gpt-4o")
    ]
    gateway.admin("PUT", "/integrations/sim/models", {"models": models, "allow_all_models": True})
    return workspace


def _prices(name: str) -> dict[str, dict[str, float]]:
    """US cents per token."""
    incoming, outgoing = (nanos / NANOS_PER_CENT for nanos in PRICES[name])
    return {"request_token": {"price": incoming}, "response_token": {"price": outgoing}}
