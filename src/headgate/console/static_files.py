"""The console's files: its own style and script, and what the build brought."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from headgate.base.errors import NotFound

NAMES: Final = ("console.css", "console.js", "portal.js", "icon.svg")
VENDORED: Final = ("vendor/htmx.min.js", "vendor/uPlot.iife.min.js", "vendor/uPlot.min.css")
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    packed: bytes
    media_type: str
    version: str
    """Of the content: a part of the address, so that browsers keep a file for good and see a new one at once."""


class StaticFiles:
    """In memory, read once. `whole`: whether the build brought the third-party scripts."""

    def __init__(self) -> None:
        folder = files("headgate.console") / "static"
        self._files: dict[str, File] = {}
        for name in (*NAMES, *VENDORED):
            path = folder.joinpath(*name.split("/"))
            if path.is_file():
                self._files[name] = _file(name, path.read_bytes())
        self.whole = all(name in self._files for name in VENDORED)

    def url(self, name: str) -> str:
        return f"/console/static/{name}?v={self._files[name].version}"

    async def __call__(self, request: Request) -> Response:
        """One of them. Raises `NotFound`."""
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise NotFound("There is no such file.")
        headers = {"cache-control": _FOR_GOOD, "vary": "accept-encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(found.content, media_type=found.media_type, headers=headers)
        return Response(found.packed, media_type=found.media_type, headers={**headers, "content-encoding": "gzip"})


def _file(name: str, content: bytes) -> File:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return File(content, gzip.compress(content, mtime=0), kind, hashlib.sha256(content).hexdigest()[:12])
