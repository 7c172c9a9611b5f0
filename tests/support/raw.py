"""HTTP by hand, for what no client library sends."""

import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.support.http import Answer

PATIENCE_S = 20.0


@dataclass(slots=True)
class Connection:
    """A TCP connection to a server, and what came back on it that was not read yet."""

    socket: socket.socket
    received: bytes = b""

    def send(self, data: bytes) -> None:
        """Whatever the server makes of it: one that has refused need not read the rest."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def answer(self) -> Answer:
        """The next answer on this connection. Raises `EOFError` if the server closes before it is whole."""
        while b"\r\n\r\n" not in self.received:
            self._more()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
        found = Answer(int(status.split(" ")[1]), headers, b"")
        return Answer(found.status, headers, self._body(found))

    def _body(self, answer: Answer) -> bytes:
        if (length := answer.header("content-length")) is not None:
            return self._take(int(length))
        if (answer.header("transfer-encoding") or "").lower() == "chunked":
            return b"".join(self._chunks())
        while True:
            try:
                self._more()
            except EOFError:
                body, self.received = self.received, b""
                return body

    def _chunks(self) -> Iterator[bytes]:
        while True:
            while b"\r\n" not in self.received:
                self._more()
            size, _, self.received = self.received.partition(b"\r\n")
            chunk = self._take(int(size, 16) + 2)
            if size == b"0":
                return
            yield chunk[:-2]

    def _take(self, size: int) -> bytes:
        while len(self.received) < size:
            self._more()
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(f"The server closed the connection after {self.received[:200]!r}")
        self.received += data

    def first_bytes(self) -> bytes:
        """Wait until something comes."""
        while not self.received:
            self._more()
        return self.received

    def closed_within(self, seconds: float) -> bool:
        """Whether the server ends the connection in time, however."""
        deadline = time.monotonic() + seconds
        self.socket.settimeout(seconds)
        try:
            while time.monotonic() < deadline:
                if not self.socket.recv(65536):
                    return True
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True
        return False

    def reset(self) -> None:
        """Leave with a RST instead of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=PATIENCE_S) as opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Connection(opened)


def head(path: str, key: str, *lines: str, method: str = "POST", version: str = "1.1", host: bool = True) -> bytes:
    """A request head with the key; further header lines as they are."""
    first = [f"{method} {path} HTTP/{version}", *(["Host: gateway.test"] if host else [])]
    rest = [f"Authorization: Bearer {key}", "Content-Type: application/json", *lines]
    return "\r\n".join([*first, *rest, "", ""]).encode()


def request(path: str, key: str, body: object, *lines: str, version: str = "1.1", host: bool = True) -> bytes:
    """A whole request; `body` is sent as JSON unless it is bytes."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return head(path, key, f"Content-Length: {len(payload)}", *lines, version=version, host=host) + payload
