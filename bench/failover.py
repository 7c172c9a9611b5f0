"""A provider that dies under load, and one that freezes: what clients see of it, with a fallback and without.

Two providers, two hundred calls a second, by chance. A third of the way the first provider ends (killed: connections
break, new ones are refused; or stopped: it takes calls and says nothing), and two thirds of the way it is back.
`python -m bench failover`; with `--quick` a few seconds of each scene
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import uvloop

from bench.client import Client, Reply, quantile
from bench.gateway import PRICE, Gateway, running_gateway
from bench.rig import OTHERS, free_port, process, save, table

RATE = 200.0
"""Calls in a second."""
TAKES_S = "0.02"
SECONDS, QUICK_SECONDS = 18.0, 9.0
PATIENCE_S = 12.0
PLACES = 1_000
"""At each provider: nobody waits there."""
GIVES_UP_MS = 500
"""How long the config waits for the first provider."""
MODELS = ("@bench/bench", "@spare/bench")
FALLBACK = {
    "strategy": {"mode": "fallback", "on_status_codes": [408, 429, 500, 502, 503]},
    "targets": [
        {"override_params": {"model": MODELS[0]}, "request_timeout": GIVES_UP_MS},
        {"override_params": {"model": MODELS[1]}},
    ],
}
ALONE = {"override_params": {"model": MODELS[0]}, "request_timeout": GIVES_UP_MS}
SCENES: Mapping[str, Mapping[str, object]] = {
    "killed, no fallback": ALONE,
    "killed, fallback": FALLBACK,
    "frozen, fallback": FALLBACK,
}


@dataclass(frozen=True, slots=True)
class Row:
    """Of one third of one scene. Milliseconds, and shares of calls."""

    scene: str
    third: str
    calls: int
    errors: float
    p50: float
    p99: float
    most: float


class Provider:
    """One that can be ended, and be there again, on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self._stack = ExitStack()
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "bench.bounded", str(self.port), str(PLACES)]
        self._running = self._stack.enter_context(process(command, OTHERS, self.port))

    def signal(self, number: signal.Signals) -> None:
        assert self._running is not None
        self._running.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        self._stack.close()


async def play(client: Client, seconds: float, ends: Callable[[], None], returns: Callable[[], None]) -> None:
    """Calls for so long, while the provider ends and returns."""
    chance, loop = Random("failover"), asyncio.get_running_loop()
    began, due = loop.time(), 0.0
    client.begin()
    loop.call_later(seconds / 3, ends)
    back = loop.call_later(2 * seconds / 3, lambda: loop.run_in_executor(None, returns))
    body = {"model": MODELS[0], "max_tokens": 120, "messages": [{"role": "user", "content": TAKES_S}]}
    async with asyncio.timeout(seconds + PATIENCE_S), asyncio.TaskGroup() as group:
        while (due := due + chance.expovariate(RATE)) < seconds:
            if (ahead := began + due - loop.time()) > 0:
                await asyncio.sleep(ahead)
            group.create_task(client.send(body))
    back.cancel()
    client.close()


def rows(scene: str, replies: list[Reply], seconds: float) -> list[Row]:
    """Each third by the moment its calls began."""
    found = []
    for number, third in enumerate(("before", "while it is away", "after")):
        its = [reply for reply in replies if number <= 3 * reply.began / seconds < number + 1]
        took = [1000 * reply.took for reply in its]
        errors = sum(reply.status != 200 for reply in its) / len(its)
        found.append(Row(scene, third, len(its), errors, quantile(took, 0.5), quantile(took, 0.99), max(took)))
    return found


def spare(gateway: Gateway, port: int) -> None:
    """The second provider, beside the first."""
    body = {"name": "spare", "slug": "spare", "ai_provider_id": "openai", "key": "sk-bench"}
    gateway.ask("POST", "/v1/integrations", {**body, "configurations": {"custom_host": f"http://127.0.0.1:{port}/v1"}})
    gateway.ask("PUT", "/v1/integrations/spare/workspaces", {"workspaces": [{"id": "bench", "enabled": True}]})
    model = {"slug": "bench", "enabled": True, "is_custom": True, "pricing_config": PRICE}
    gateway.ask("PUT", "/v1/integrations/spare/models", {"allow_all_models": False, "models": [model]})


def scene(name: str, config: Mapping[str, object], seconds: float) -> list[Row]:
    """With a gateway that knows nothing yet of either provider."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        first, second = Provider(), Provider()
        for each in (first, second):
            stack.callback(each.close)
            each.start()
        gateway = stack.enter_context(running_gateway(folder / "data", first.port))
        spare(gateway, second.port)
        client = Client(gateway.port, gateway.key, 2_000, {"x-portkey-config": json.dumps(config)})
        frozen = name.startswith("frozen")
        ends, returns = (first.freeze, first.thaw) if frozen else (first.kill, first.start)
        uvloop.run(play(client, seconds, ends, returns))
        return rows(name, client.replies, seconds)


def run(*, quick: bool = False) -> int:
    """1 where a client with a fallback saw an error."""
    seconds, found = QUICK_SECONDS if quick else SECONDS, list[Row]()
    os.sched_setaffinity(0, OTHERS)
    for name, config in SCENES.items():
        found += scene(name, config, seconds)
    shown = [
        [each.scene, each.third, each.calls, f"{100 * each.errors:.2f} %", *map(round, (each.p50, each.p99, each.most))]
        for each in found
    ]
    head = ["", "", "calls", "errors", "p50 (ms)", "p99 (ms)", "longest (ms)"]
    table(f"A provider is away for a third of {seconds:g} s at {RATE:g} calls/s", shown, head)
    save("failover", {"seconds": seconds, "rows": [asdict(row) for row in found]})
    return int(any(row.errors for row in found if "no fallback" not in row.scene))
