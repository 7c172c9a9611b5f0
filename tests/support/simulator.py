"""The simulator in a thread of the test's own process, on a free loopback port."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headgate.simulator import books
from headgate.simulator.app import create_app
from headgate.simulator.deliveries import Pacing
from headgate.simulator.journal import Journal
from headgate.simulator.server import server_for
from tests.support.http import Answer, call

OPENAI = {"authorization": "Bearer key"}
ANTHROPIC = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
GEMINI = {"x-goog-api-key": "key"}


@dataclass(frozen=True, slots=True)
class Simulated:
    """A running simulator, and its books."""

    url: str
    journal: Path

    def post(self, path: str, body: object, headers: Mapping[str, str]) -> Answer:
        return call("POST", self.url + path, body, headers)

    def chat(self, model: str, text: str = "hello there", **more: object) -> Answer:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        return self.post("/v1/chat/completions", body, OPENAI)

    def messages(self, model: str, text: str = "hello there", **more: object) -> Answer:
        body = {"model": model, "max_tokens": 1000, "messages": [{"role": "user", "content": text}], **more}
        return self.post("/v1/messages", body, ANTHROPIC)

    def gemini(self, model: str, text: str = "hello there", *, stream: bool = False, **more: object) -> Answer:
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        body = {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}
        return self.post(f"/v1beta/models/{model}:{method}", body, GEMINI)

    def calls(self) -> list[books.Call]:
        return books.read(self.journal)


@contextmanager
def simulating(
    journal_path: Path,
    *,
    pacing: Pacing | None = None,
    credential: str | None = None,
    aliases: Mapping[str, str] | None = None,
) -> Iterator[Simulated]:
    """Runs until the block ends; what is still being answered then is given up after a second."""
    with Journal(journal_path) as journal, socket.create_server(("127.0.0.1", 0)) as listening:
        server = server_for(create_app(journal, pacing, credential=credential, aliases=aliases))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="simulator")
        thread.start()
        try:
            yield Simulated(f"http://127.0.0.1:{listening.getsockname()[1]}", journal_path)
        finally:
            server.should_exit = True
            thread.join()
