"""any-llm's gateway: keys, budgets and usage in PostgreSQL, which it recommends. The last version in its package."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.installed import environment, python_environment
from bench.peers.subject import CannotRun, Subject
from bench.rig import MEASURED, free_port, process
from tests.support.http import call
from tests.support.services import postgres_server

VERSION = "1.14.0"
MASTER = "master"
AT_ONCE = 1
"""Calls of one user lock its row, in sessions that block the event loop: two at once never end."""


@contextmanager
def any_llm(upstream: int) -> Iterator[Subject]:
    """In front of the mock on this port. Raises `CannotRun`."""
    place = python_environment("peer-any-llm", f"any-llm-sdk[gateway,openai]=={VERSION}")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, postgres_server() as database:
        written = Path(folder) / "config.yml"
        configuration = {
            "database_url": database.replace("postgresql:", "postgresql+psycopg2:"),
            "master_key": MASTER,
            "providers": {"openai": {"api_key": "upstream", "api_base": f"http://127.0.0.1:{upstream}/v1"}},
            "pricing": {"openai:bench": {"input_price_per_million": 2.5, "output_price_per_million": 10}},
        }
        written.write_text(json.dumps(configuration))  # JSON is YAML
        command: list[str | Path] = [place / "bin" / "any-llm-gateway", "serve", "-c", written, "--port", str(port)]
        command += ["--host", "127.0.0.1", "--log-level", "40"]
        with process(command, MEASURED, port, environment(place), within_s=60, quiet=True) as running:
            headers = {"Authorization": f"Bearer {_key(port)}"}
            yield Subject("any-llm", VERSION, port, running.pid, "openai:bench", headers, at_once=AT_ONCE)


def _key(port: int) -> str:
    """Of a user with a budget."""
    url, master = f"http://127.0.0.1:{port}", {"X-AnyLLM-Key": f"Bearer {MASTER}"}

    def made(path: str, body: dict[str, object]) -> dict[str, str]:
        answer = call("POST", url + path, body, master)
        if answer.status >= 300:
            raise CannotRun(f"{path} answered {answer.status}")
        return dict(answer.json)

    budget = made("/v1/budgets", {"max_budget": 1e9})
    made("/v1/users", {"user_id": "bench", "budget_id": budget["budget_id"]})
    return made("/v1/keys", {"key_name": "bench", "user_id": "bench"})["key"]
