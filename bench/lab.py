"""Everybody in front of the same mock in the same run: nobody (direct), nginx, Headgate, and the peers if asked for."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.gateway import Gateway, running_gateway
from bench.mock import CHUNKS, PACE_S
from bench.peers.any_llm import any_llm
from bench.peers.litellm import litellm
from bench.peers.nginx import nginx
from bench.peers.portkey import portkey
from bench.peers.subject import CannotRun, Subject
from bench.peers.tensorzero import tensorzero
from bench.rig import OTHERS, free_port, process

Peer = Callable[[int], AbstractContextManager[Subject]]
PEERS: Final[dict[str, Peer]] = {"TensorZero": tensorzero, "Portkey": portkey, "LiteLLM": litellm, "any-llm": any_llm}
EVERYTHING: Final = (
    "keys, eight allowances a call, bound, hold, journal, settlement, usage record with its sums, metrics, audit"
)
"""What is switched on in Headgate. The peers are as their documentation sets them up: see `bench/peers`."""


@dataclass(frozen=True, slots=True)
class Lab:
    """Running until its block ends. `absent` says why a peer is not there."""

    folder: Path
    mock: Subject
    gateway: Gateway
    nginx: Subject
    headgate: Subject
    peers: list[Subject] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def translated(self) -> Subject:
        """Headgate, where the provider speaks another language than the client."""
        return self.headgate.asking("Headgate, translated", "@translated/bench")

    @property
    def told(self) -> dict[str, object]:
        """For the JSON: who took part, in which version, what was on, and who did not."""
        versions = {subject.name: subject.version for subject in (self.nginx, self.headgate, *self.peers)}
        return {"versions": versions, "on": EVERYTHING, "absent": self.absent}

    @property
    def parallel(self) -> list[Subject]:
        """The peers that take more than one call at a time."""
        return [peer for peer in self.peers if peer.at_once > 1]

    def tell_absent(self) -> None:
        """Who was asked for and did not take part, and why."""
        for name, why in self.absent.items():
            print(f"  {name}: not run: {why}")


@contextmanager
def lab(*, peers: bool = False, chunks: int = CHUNKS, pace_s: float = PACE_S) -> Iterator[Lab]:
    """Raises `CannotRun` where nginx is not installed: without it there is nothing to compare with."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mock = stack.enter_context(mocked(chunks, pace_s))
        plain = stack.enter_context(nginx(mock.port))
        gateway = stack.enter_context(running_gateway(folder / "data", mock.port))
        here = Lab(folder, mock, gateway, plain, gateway.subject)
        for name, peer in PEERS.items() if peers else ():
            try:
                here.peers.append(stack.enter_context(peer(mock.port)))
            except (CannotRun, RuntimeError, TimeoutError) as why:
                here.absent[name] = str(why)
        yield here


@contextmanager
def mocked(chunks: int = CHUNKS, pace_s: float = PACE_S, certificate: Path | None = None) -> Iterator[Subject]:
    """The upstream itself, on the load's core."""
    port = free_port()
    command = [sys.executable, "-m", "bench.mock", str(port), str(chunks), str(pace_s)]
    if certificate is not None:
        command.append(str(certificate))
    with process(command, OTHERS, port) as running:
        yield Subject("direct", "", port, running.pid, "bench")
