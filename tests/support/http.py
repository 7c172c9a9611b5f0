"""A plain HTTP client for tests: the standard library's, one connection per call, nothing retried, nothing hidden."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """`whole` false: the connection broke before the answer's end, and `body` is what came until then."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool = True

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[tuple[str, Any]]:
        """(event name or empty, data decoded from JSON or, where it is none, as text) of a server-sent stream."""
        return [event(block) for block in self.body.decode().replace("\r\n", "\n").split("\n\n") if block.strip()]


def event(block: str) -> tuple[str, Any]:
    name, data = "", []
    for line in block.split("\n"):
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].lstrip())
    text = "\n".join(data)
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


def call(
    method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None, timeout: float = 30
) -> Answer:
    """One call. `body` is sent as JSON unless it is bytes. Raises `OSError` if no head of an answer comes."""
    parts = urlsplit(url)
    payload = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, payload, {"Content-Type": "application/json", **(headers or {})})
        with connection.getresponse() as answer:
            fields = tuple(answer.getheaders())
            try:
                return Answer(answer.status, fields, answer.read())
            except http.client.IncompleteRead as broken:
                return Answer(answer.status, fields, broken.partial, whole=False)
            except ConnectionResetError:
                return Answer(answer.status, fields, b"", whole=False)
    finally:
        connection.close()
