"""A loopback upstream that answers with recordings, and remembers what it was asked."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.recordings import Recording, in_pieces

_MODEL_IN_PATH = re.compile(r"/models/([^/:]+):")


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def model(self) -> str:
        """From the body or, as Gemini has it, the path."""
        found = _MODEL_IN_PATH.search(self.path)
        return found[1] if found else str(self.body.get("model", ""))


@dataclass(slots=True)
class RecordedUpstream:
    """`choose` says which recording answers a request; it may be replaced at any time."""

    url: str
    choose: Callable[[Received], Recording]
    received: list[Received] = field(default_factory=list)


@contextmanager
def serving_recordings(choose: Callable[[Received], Recording]) -> Iterator[RecordedUpstream]:
    """Runs in threads of this process until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    upstream = RecordedUpstream(f"http://127.0.0.1:{server.server_address[1]}", choose)
    server.upstream = upstream  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, name="recorded upstream")
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5  # an idle connection of the gateway's pool does not keep its thread for ever
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        upstream: RecordedUpstream = self.server.upstream  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.path, headers, body)
        upstream.received.append(received)
        self._answer(upstream.choose(received))

    def _answer(self, recording: Recording) -> None:
        self.send_response(recording.status)
        self.send_header("Content-Type", recording.content_type)
        if not recording.streams:
            self.send_header("Content-Length", str(len(recording.body)))
            self.end_headers()
            self.wfile.write(recording.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in in_pieces(recording.body):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: pytest shows what failed."""
