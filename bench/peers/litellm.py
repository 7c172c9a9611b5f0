"""LiteLLM's proxy: one process, a master key, no database; so without keys, budgets or spend."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.installed import environment, python_environment
from bench.peers.subject import Subject
from bench.rig import MEASURED, free_port, process

VERSION = "1.106.2"
MASTER = "sk-master"


@contextmanager
def litellm(upstream: int) -> Iterator[Subject]:
    """In front of the mock on this port. Raises `CannotRun`."""
    place = python_environment("peer-litellm", f"litellm[proxy]=={VERSION}")
    port = free_port()
    parameters = {"model": "openai/bench", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "upstream"}
    configuration = {
        "model_list": [{"model_name": "bench", "litellm_params": parameters}],
        "general_settings": {"master_key": MASTER},
        "litellm_settings": {"telemetry": False},
    }
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "config.yaml"
        written.write_text(json.dumps(configuration))  # JSON is YAML
        command: list[str | Path] = [
            place / "bin" / "litellm",
            "--config",
            written,
            "--port",
            str(port),
            "--host",
            "127.0.0.1",
        ]
        more = environment(place, LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_LOG="ERROR")
        with process(command, MEASURED, port, more, within_s=180, quiet=True) as running:
            headers = {"Authorization": f"Bearer {MASTER}"}
            yield Subject("LiteLLM", VERSION, port, running.pid, "bench", headers)
