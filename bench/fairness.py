"""One greedy tenant and nine modest ones at a provider that serves twenty calls at once: shares and p99.

Each modest tenant asks for half of its tenth, by chance but the same in every scene; the greedy one for a hundred
tenths. `python -m bench fairness`; with `--quick` a few seconds of each scene
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import uvloop

from bench.client import Client, quantile
from bench.gateway import Gateway, running_gateway
from bench.rig import OTHERS, free_port, process, save, table

PLACES, TAKES_S = 20, 0.5
TENTH = PLACES / TAKES_S / 10
"""Calls in a second."""
MODEST = [f"modest{number}" for number in range(9)]
GREEDY = "greedy"
MOST = 200
"""Calls that a tenant has under way at once; what is due beyond them it does not send."""
SECONDS, QUICK_SECONDS = 40.0, 10.0
PATIENCE_S = 20.0
MOVES = 1.1
"""What the modest tenants' p99 may be of what it is without the greedy one."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What came of one: seconds, and shares of what the provider served."""

    name: str
    p50: float
    p99: float
    unserved: float
    """Of the modest tenants' calls."""
    greedy_share: float
    greedy_refused: int
    calls: int


async def play(name: str, port: int, keys: dict[str, str], who: Sequence[str], seconds: float) -> Scene:
    """These tenants' calls, each by its own chance."""
    clients = {each: Client(port, keys[each], MOST) for each in who}
    async with asyncio.timeout(seconds + PATIENCE_S), asyncio.TaskGroup() as group:
        for each, client in clients.items():
            client.begin()
            group.create_task(_send(client, each, seconds))
    for client in clients.values():
        client.close()
    modest = [reply for each in MODEST for reply in clients[each].replies]
    served = [reply.took for reply in modest if reply.status == 200]
    greedy = clients[GREEDY].replies if GREEDY in clients else []
    had = sum(reply.status == 200 for reply in greedy)
    unserved = 1 - len(served) / (len(modest) + sum(clients[each].unsent for each in MODEST))
    refused = sum(reply.status == 429 for reply in greedy)
    return Scene(
        name, quantile(served, 0.5), quantile(served, 0.99), unserved, had / (had + len(served)), refused, len(modest)
    )


async def _send(client: Client, who: str, seconds: float) -> None:
    chance, rate = Random(who), TENTH * (100 if who == GREEDY else 0.5)
    loop = asyncio.get_running_loop()
    began, due = loop.time(), 0.0
    async with asyncio.TaskGroup() as group:
        while (due := due + chance.expovariate(rate)) < seconds:
            takes = chance.expovariate(1 / TAKES_S)
            if (ahead := began + due - loop.time()) > 0:
                await asyncio.sleep(ahead)
            message = {"role": "user", "content": f"{takes:.4f}"}
            group.create_task(client.send({"model": "@bench/bench", "max_tokens": 120, "messages": [message]}))


def tenants(gateway: Gateway) -> dict[str, str]:
    """Their keys."""
    keys = {}
    for name in (*MODEST, GREEDY):
        gateway.ask("POST", "/v1/admin/tenants", {"tenant_id": name, "workspace_id": "bench"})
        body = {"name": name, "workspace_id": "bench", "tenant_id": name, "scopes": ["completions.write"]}
        keys[name] = str(gateway.ask("POST", "/v1/api-keys/workspace/service", body)["key"])
    return keys


def run(*, quick: bool = False) -> int:
    """1 where the greedy tenant moved the others' p99 by more than a tenth."""
    seconds, scenes = QUICK_SECONDS if quick else SECONDS, []
    os.sched_setaffinity(0, OTHERS)
    with ExitStack() as stack:
        folder, port = Path(stack.enter_context(tempfile.TemporaryDirectory())), free_port()
        stack.enter_context(process([sys.executable, "-m", "bench.bounded", str(port), str(PLACES)], OTHERS, port))
        gateway = stack.enter_context(running_gateway(folder / "data", port))
        keys = tenants(gateway)
        for name, capacity, who in (
            ("nine modest, alone", None, MODEST),
            ("and a greedy one, no capacity set", None, [*MODEST, GREEDY]),
            ("and a greedy one, fair shares", {"max_concurrency": PLACES}, [*MODEST, GREEDY]),
        ):
            gateway.ask("PUT", "/v1/integrations/bench", {"configurations": {"capacity": capacity}})
            scenes.append(uvloop.run(play(name, gateway.port, keys, who, seconds)))
    alone, _, fair = scenes
    rows = [
        [
            scene.name,
            f"{1000 * scene.p50:.0f}",
            f"{1000 * scene.p99:.0f}",
            f"{100 * (scene.p99 / alone.p99 - 1):+.1f} %",
            f"{100 * scene.unserved:.1f} %",
            f"{100 * scene.greedy_share:.0f} %",
            scene.greedy_refused,
        ]
        for scene in scenes
    ]
    head = ["", "p50 (ms)", "p99 (ms)", "p99 moved", "not served", "greedy's share", "greedy refused"]
    table(f"Nine tenants at half their share, {PLACES} places, {seconds:g} s each", rows, head)
    save("fairness", {"seconds": seconds, "scenes": [asdict(scene) for scene in scenes]})
    return int(fair.p99 > MOVES * alone.p99 or fair.unserved > 0)
