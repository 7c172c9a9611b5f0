"""What a call costs in CPU, beside nginx as a plain proxy of the same mock, in one run.

Everything is on in the gateway: key look-up, bound, hold on the key's and the integration's allowances, journal,
settlement, usage record.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.gateway import running_gateway
from bench.mock import CHUNKS
from bench.rig import MEASURED, OTHERS, Row, cpu_seconds, free_port, process, save, table

PROMPT = "Say something about foxes and dogs, at some length, please. " * 12
CONNECTIONS = 32
STREAMS = 40


@contextmanager
def nginx(upstream: int) -> Iterator[tuple[int, int]]:
    """nginx as a plain proxy: (port, pid)."""
    binary = shutil.which("nginx")
    assert binary is not None
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(
            f"""daemon off; master_process off; pid {folder}/pid;
            error_log {folder}/error.log;
            events {{ worker_connections 4096; }}
            http {{
              access_log off; keepalive_requests 1000000;
              client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
              uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
              upstream mock {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000; }}
              server {{
                listen 127.0.0.1:{port} backlog=1024;
                location / {{
                  proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
                  proxy_buffering off; proxy_request_buffering off;
                }}
              }}
            }}"""
        )
        with process([binary, "-c", configuration, "-e", f"{folder}/error.log"], MEASURED, port) as running:
            yield port, running.pid


def drive(
    port: int, pid: int, who: str, unit: str, calls: int, connections: int, body: Path, key: str, per: int
) -> Row:
    """CPU of the measured process over so many calls; a warm-up comes first."""
    _load(port, max(connections, calls // 10), connections, body, key)
    before = cpu_seconds(pid)
    result = _load(port, calls, connections, body, key)
    used = cpu_seconds(pid) - before
    if result["failed"]:
        raise SystemExit(f"{who}: {result['failed']} of {result['calls']} calls failed")
    units = int(result["calls"]) * per
    return Row(who, unit, units, 1e6 * used / units, units / float(result["seconds"]))


def _load(port: int, calls: int, connections: int, body: Path, key: str) -> dict[str, float]:
    headers = json.dumps({"Authorization": f"Bearer {key}"})
    arguments = [str(port), str(connections), str(calls), "/v1/chat/completions", headers, str(body)]
    done = subprocess.run(
        ["taskset", "-c", ",".join(map(str, OTHERS)), sys.executable, "-m", "bench.load", *arguments],
        capture_output=True,
        check=True,
    )
    loaded: dict[str, float] = json.loads(done.stdout)
    return loaded


def body_file(folder: Path, name: str, model: str, *, stream: bool) -> Path:
    path = folder / name
    body = {"model": model, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 200}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    path.write_text(json.dumps(body, separators=(",", ":")))
    return path


def measure(calls: int, rounds: int) -> list[Row]:
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mock = free_port()
        stack.enter_context(process([sys.executable, "-m", "bench.mock", str(mock)], OTHERS, mock))
        plain_port, plain_pid = stack.enter_context(nginx(mock))
        gateway = stack.enter_context(running_gateway(folder / "data", mock))
        plain = body_file(folder, "plain.json", "@bench/bench", stream=False)
        streamed = body_file(folder, "stream.json", "@bench/bench", stream=True)
        for _ in range(rounds):
            for who, port, pid in (("nginx", plain_port, plain_pid), ("headgate", gateway.port, gateway.pid)):
                rows.append(drive(port, pid, who, "call", calls, CONNECTIONS, plain, gateway.key, 1))
                rows.append(drive(port, pid, who, "chunk", calls // 100, STREAMS, streamed, gateway.key, CHUNKS))
    return rows


def best(rows: list[Row], who: str, unit: str) -> float:
    """The least disturbed round."""
    return min(row.cpu_us for row in rows if row.who == who and row.unit == unit)


def run(calls: int = 8000, rounds: int = 3) -> None:
    """`python -m bench per_call`"""
    if shutil.which("nginx") is None:
        print("\nper_call: not run. nginx is not installed, and the ratios need it beside the gateway.")
        return
    rows = measure(calls, rounds)
    lines = []
    ratios = {}
    for unit in ("call", "chunk"):
        limit, ours = best(rows, "nginx", unit), best(rows, "headgate", unit)
        ratios[unit] = ours / limit
        lines.append([f"per {unit}", f"{limit:.1f}", f"{ours:.1f}", f"{ours / limit:.2f} x"])
    table("CPU of the measured process (µs), one core, everything on", lines, ["", "nginx", "headgate", "ratio"])
    save("per_call", {"rows": [[r.who, r.unit, r.count, r.cpu_us, r.per_second] for r in rows], "ratios": ratios})
