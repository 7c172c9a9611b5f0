"""The administration API of a running server, as the commands use it: JSON over one connection per call."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from headgate.base.errors import HeadgateError, Unauthenticated, Unavailable
from headgate.settings import Settings

TIMEOUT_S = 30.0
MAX_ANSWER = 64 * 1024 * 1024


class Refused(HeadgateError):
    """The server said no; the message is its own."""


class Administrator:
    """Calls under `/v1` with the key of an administrator. Raises `Refused`, or `Unavailable` where nobody answers."""

    def __init__(self, settings: Settings) -> None:
        if settings.admin_key is None:
            raise Unauthenticated(
                "HEADGATE_ADMIN_KEY is not set. Set it to the organization admin key that the first start printed."
            )
        self._url = settings.reached_at
        self._key = settings.admin_key

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Mapping[str, object], *, idempotency_key: str | None = None) -> dict[str, Any]:
        """With a key, the same request may be sent again: it is carried out once."""
        return self._call("POST", path, body, {} if idempotency_key is None else {"Idempotency-Key": idempotency_key})

    def put(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return self._call("PUT", path, body)

    def delete(self, path: str) -> dict[str, Any]:
        return self._call("DELETE", path)

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | None = None, headers: Mapping[str, str] = {}
    ) -> dict[str, Any]:
        status, answer = self._exchange(method, path, b"" if body is None else json.dumps(body).encode(), headers)
        try:
            decoded = json.loads(answer)
        except ValueError:
            decoded = None
        if not isinstance(decoded, dict):
            raise Refused(f"{self._url} answered {status}, and not as Headgate does. Check HEADGATE_URL.")
        if status >= 300:
            raise Refused(str(decoded.get("message") or f"The server answered {status}."))
        return decoded

    def _exchange(self, method: str, path: str, body: bytes, more: Mapping[str, str]) -> tuple[int, bytes]:
        parts = urlsplit(self._url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        headers = {"x-portkey-api-key": self._key, "Content-Type": "application/json", "Connection": "close", **more}
        try:
            connection.request(method, f"{parts.path.rstrip('/')}/v1{path}", body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(MAX_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"No server answers at {self._url} ({error}). Is `headgate serve` running?") from None
        finally:
            connection.close()
