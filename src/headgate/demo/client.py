"""A plain HTTP client of the standard library, one connection per call: the demo asks as any program would."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, how long it took to begin and to end, and whether it came whole."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    first_byte_s: float
    total_s: float
    whole: bool = True

    @property
    def request_id(self) -> str:
        return self.headers.get("x-headgate-request-id", "")

    @property
    def message(self) -> str:
        """The sentence of an error answer."""
        try:
            return str(json.loads(self.body)["error"]["message"])
        except (ValueError, KeyError, TypeError):
            return self.body[:200].decode(errors="replace")


def send(url: str, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
    """One call with a JSON body. Raises `OSError` or `http.client.HTTPException` where no answer begins."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
    started = time.monotonic()
    try:
        payload = None if body is None else json.dumps(body).encode()
        connection.request(method, path, payload, {"Content-Type": "application/json", **(headers or {})})
        with connection.getresponse() as answer:
            fields = {name.lower(): value for name, value in answer.getheaders()}
            first = answer.read(1)
            first_byte_s = time.monotonic() - started
            rest, whole = _rest(answer)
            return Answer(answer.status, fields, first + rest, first_byte_s, time.monotonic() - started, whole)
    finally:
        connection.close()


def _rest(answer: http.client.HTTPResponse) -> tuple[bytes, bool]:
    try:
        return answer.read(), True
    except http.client.IncompleteRead as broken:
        return broken.partial, False


class Refused(RuntimeError):
    """An administration call that did not work; the message is the server's."""


class Administrator:
    """The gateway's administration with the admin key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._headers = {"x-portkey-api-key": key}

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer. Raises `Refused`."""
        answer = send(self._url, method, f"/v1{path}", body, self._headers)
        if answer.status >= 300:
            raise Refused(f"{method} {path}: {answer.status} {answer.message}")
        return json.loads(answer.body)
