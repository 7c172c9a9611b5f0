"""What the simulator keeps: responses that were given and files that were sent, for as long as it runs.

Its lists hold everything, whoever asks, as a provider's do for all customers of one account.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from headgate.simulator.ask import Json, ProviderError
from headgate.simulator.batch_jobs import BatchJob, Work
from headgate.simulator.form import fields

_PATH: Final = re.compile(r"^/(responses|files|batches)(?:/([^/]+)(?:/(cancel|input_items|content))?)?$")


class Found(NamedTuple):
    """An answer: JSON, or a file's own bytes."""

    document: Json | None
    content: bytes = b""


class Shelf:
    """Times are seconds since 1970. `work` answers the lines of batches."""

    def __init__(self, new_id: Callable[[], str], now: Callable[[], int], work: Work) -> None:
        self._work = work
        self._jobs: dict[str, BatchJob] = {}
        self._new_id = new_id
        self._now = now
        self._documents: dict[str, Json] = {}
        self._contents: dict[str, bytes] = {}

    def keep(self, response: Json) -> None:
        """It can be asked for from now on."""
        self._documents[response["id"]] = response

    def answer(self, method: str, path: str, kind: str, body: bytes, request_id: str = "") -> Found | None:
        """None: the path is none of the shelf's. Raises `ProviderError`."""
        found = _PATH.match(path)
        if found is None or (method, path) == ("POST", "/responses"):
            return None
        noun, identifier, action = found.groups()
        if identifier is None and noun == "batches":
            return Found(self._batch(body, request_id) if method == "POST" else self._list())
        if identifier is None:
            return Found(self._upload(kind, body) if method == "POST" else self._list())
        if identifier not in self._documents | self._jobs or not identifier.startswith(noun[:4]):
            raise ProviderError(404, f"No such {noun[:-1]}: {identifier}.")
        return self._about(method, identifier, action)

    def _about(self, method: str, identifier: str, action: str | None) -> Found:
        if (job := self._jobs.get(identifier)) is not None:
            turn = job.cancel if action == "cancel" else job.look
            turn(self._work, self._results)
            return Found(job.document)
        document = self._documents[identifier]
        if method == "DELETE":
            del self._documents[identifier]
            return Found({"id": identifier, "object": document["object"], "deleted": True})
        if action == "content":
            return Found(None, self._contents[identifier])
        if action == "input_items":
            return Found({"object": "list", "data": [], "has_more": False})
        if action == "cancel":
            document["status"] = "cancelled"
        return Found(document)

    def _upload(self, kind: str, body: bytes) -> Json:
        form = fields(kind, body)
        if not form["files"]:
            raise ProviderError(400, "Missing or wrong parameter: 'file'.")
        identifier = f"file-{self._new_id()}"
        [content] = form["files"]
        self._contents[identifier] = content
        document = self._documents[identifier] = {
            "id": identifier,
            "object": "file",
            "bytes": len(content),
            "created_at": self._now(),
            "filename": "upload",
            "purpose": form.get("purpose", "user_data"),
            "status": "processed",
        }
        return document

    def _batch(self, body: bytes, request_id: str) -> Json:
        asked = msgspec.json.decode(body)
        lines = [msgspec.json.decode(line) for line in self._contents[asked["input_file_id"]].splitlines() if line]
        identifier = f"batch_{self._new_id()}"
        document = {**asked, "id": identifier, "object": "batch", "created_at": self._now()}
        job = self._jobs[identifier] = BatchJob(document, lines, request_id)
        return job.document

    def _results(self, results: Sequence[Json]) -> str:
        identifier = f"file-{self._new_id()}"
        self._contents[identifier] = b"\n".join(map(msgspec.json.encode, results))
        self._documents[identifier] = {"id": identifier, "object": "file", "purpose": "batch_output"}
        return identifier

    def _list(self) -> Json:
        data = [each for each in self._documents.values() if each["object"] == "file"]
        return {"object": "list", "data": data, "has_more": False}
