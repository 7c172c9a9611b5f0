"""The recordings of real provider traffic that lie beside the repository, where they do."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

FOLDER = Path(__file__).parent.parent.parent.parent / "shared" / "recordings"


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One call to a provider. `body` is the answer's bytes as they are served again."""

    name: str
    provider: str
    path: str
    request: dict[str, Any]
    status: int
    content_type: str
    body: bytes

    @property
    def streams(self) -> bool:
        return self.content_type.startswith("text/event-stream")

    @property
    def answer(self) -> Any:
        """The parsed answer; of a stream, the list of its parsed events, `[DONE]` left out."""
        if not self.streams:
            return json.loads(self.body)
        text = self.body.decode().replace("\r\n", "\n")
        data = [line[5:].strip() for line in text.split("\n") if line.startswith("data:")]
        return [json.loads(one) for one in data if one != "[DONE]"]


@cache
def recordings() -> tuple[Recording, ...]:
    """All of them, in a fixed order; none where the folder is not there."""
    return tuple(_load(path) for path in sorted(FOLDER.glob("*/*.json")))


def some_recordings() -> tuple[Recording, ...]:
    """All of them; skips the test where the folder is not there."""
    if not recordings():
        pytest.skip("The recordings of real provider traffic are not beside the repository (../shared/recordings).")
    return recordings()


def _load(path: Path) -> Recording:
    raw = json.loads(path.read_text())
    request = raw["request"] if isinstance(raw["request"], dict) else {}
    body = raw["sse"].encode() if "sse" in raw else json.dumps(raw["response"], ensure_ascii=False).encode()
    name = f"{path.parent.name}/{path.stem}"
    url = urlsplit(raw["url"])
    return Recording(name, raw["provider"], url.path, request, raw["status"], raw["content_type"], body)


def in_pieces(body: bytes, size: int = 97) -> Iterator[bytes]:
    """Cut anywhere, as a network does."""
    for at in range(0, len(body), size):
        yield body[at : at + size]
