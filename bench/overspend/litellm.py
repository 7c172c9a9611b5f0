"""LiteLLM's proxy as a gateway to be tried: one process with its own PostgreSQL, keys with `max_budget`.

In its own environment under `.venvs`, configured as its documentation says: every model with its price
(`input_cost_per_token`), the fallback in `router_settings`, the database for keys and spend.
"""

import asyncio
import hashlib
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.overspend.play import Books, Row, play
from bench.overspend.scene import MODELS, PRICES, SCENES, Scene
from bench.peers.installed import environment, last_line, python_environment, run
from bench.peers.litellm import MASTER, VERSION
from bench.peers.subject import CannotRun
from bench.rig import free_port
from headgate.base.money import NANOS_PER_USD
from headgate.simulator import books
from tests.support.http import call
from tests.support.services import postgres_server

STARTS_WITHIN_S: Final = 180.0
WRITES_WITHIN_S: Final = 40.0
"""It writes what was spent every ten seconds, and its rows at the latest after thirty."""


class LiteLLM:
    """Implements `play.Tried`."""

    name = "LiteLLM"

    def __init__(self, place: Path, directory: Path, database: str, journal: Path) -> None:
        self.journal = journal
        self._place = place
        self._directory = directory
        self._database = database
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def model(self, name: str) -> str:
        return name

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def new_key(self, scene: Scene) -> str:
        return str(self._ask("/key/generate", {"max_budget": scene.dollars})["key"])

    def edit(self, key: str, dollars: float) -> None:
        self._ask("/key/update", {"key": key, "max_budget": dollars})

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def start_again(self) -> None:
        command = (
            self._place / "bin" / "litellm",
            "--config",
            self._directory / "litellm.yaml",
            "--port",
            str(self._port),
        )
        log = (self._directory / "litellm.log").open("ab")
        with log:
            told = {
                "DATABASE_URL": self._database,
                "LITELLM_MASTER_KEY": MASTER,
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            }
            own = environment(self._place, **told)
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=own, cwd=self._directory)
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if call("GET", f"{self.url}/health/readiness").status == 200:
                    return
            except OSError:
                time.sleep(0.2)
        raise CannotRun(f"it did not start: {last_line((self._directory / 'litellm.log').read_text())}")

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def books(self, key: str, billed: list[books.Call]) -> Books:
        charged = sum(1 for each in billed if each.usage)
        deadline = time.monotonic() + WRITES_WITHIN_S
        while (rows := asyncio.run(self._rows(key))) < charged and time.monotonic() < deadline:
            time.sleep(1)
        return Books(max(charged - rows, 0), max(rows - charged, 0))

    async def _rows(self, key: str) -> int:
        connection = await asyncpg.connect(self._database)
        try:
            statement = 'SELECT count(*) FROM "LiteLLM_SpendLogs" WHERE api_key = $1 AND spend > 0'
            return int(await connection.fetchval(statement, hashlib.sha256(key.encode()).hexdigest()))
        finally:
            await connection.close()

    def _ask(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        answer = call("POST", self.url + path, body, {"authorization": f"Bearer {MASTER}"})
        if answer.status != 200:
            raise CannotRun(f"{path} answered {answer.status}: {last_line(answer.body.decode(errors='replace'))}")
        return dict(answer.json)


def litellm_rows(directory: Path, simulator: str, journal: Path) -> list[Row]:
    """Its lines of the table; one that says why where it cannot be tried."""
    try:
        with litellm(directory, simulator, journal) as peer:
            return [play(peer, scene) for scene in SCENES]
    except CannotRun as why:
        return [Row("(every situation)", LiteLLM.name, note=f"{VERSION} cannot be tried here: {why}")]


@contextmanager
def litellm(directory: Path, simulator: str, journal: Path) -> Iterator[LiteLLM]:
    """Installed if need be, and running until the block ends. Raises `CannotRun`."""
    place = _install()
    (directory / "litellm.yaml").write_text(json.dumps(_configuration(simulator)))  # JSON is YAML
    with postgres_server() as database:
        peer = LiteLLM(place, directory, database, journal)
        try:
            peer.start_again()
            yield peer
        finally:
            peer.end()


def _install() -> Path:
    """Its own environment, with its database client."""
    place = python_environment("peer-litellm-spend", f"litellm[proxy]=={VERSION}", "prisma")
    [schema] = place.glob("lib/python*/site-packages/litellm/proxy/schema.prisma")
    what = "its database client (`prisma generate`)"
    run(what, (place / "bin" / "prisma", "generate", "--schema", schema), environment(place))
    return place


def _configuration(simulator: str) -> dict[str, object]:
    """As `config.yaml` in its documentation."""
    models = []
    for name in MODELS:
        parameters: dict[str, object] = {
            "model": f"openai/{name}",
            "api_base": f"{simulator}/v1",
            "api_key": "upstream",
        }
        if name != "unpriced":
            incoming, outgoing = PRICES[name]
            parameters["input_cost_per_token"] = incoming / NANOS_PER_USD
            parameters["output_cost_per_token"] = outgoing / NANOS_PER_USD
        models.append({"model_name": name, "litellm_params": parameters})
    return {
        "model_list": models,
        "router_settings": {"num_retries": 0, "fallbacks": [{"failing": ["dearer"]}]},
        "litellm_settings": {"drop_params": False, "telemetry": False},
        "general_settings": {"master_key": MASTER},
    }
