"""`/docs`: the control plane for reading and trying out. All it loads is served from here, and its policy is strict."""

from importlib.resources import as_file, files
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from headgate.base.errors import NotFound

NAMES: Final = ("page.css", "page.js", "vendor/swagger-ui.css", "vendor/swagger-ui-bundle.js")
"""Those below `vendor` come with the build."""
_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def install(app: FastAPI) -> None:
    """Have the application answer `/docs`, and the files that the page names relative to itself."""
    app.add_route("/docs", _page, include_in_schema=False)
    app.add_route("/docs/{name:path}", _file, include_in_schema=False)


async def _page(request: Request) -> Response:
    return _sent("page.html")


async def _file(request: Request) -> Response:
    """Raises `NotFound`."""
    name = request.path_params["name"]
    if name not in NAMES:
        raise NotFound("There is no such file.")
    return _sent(name)


def _sent(name: str) -> Response:
    """Raises `NotFound` where the build did not bring it: the page then says so."""
    with as_file(files(__package__).joinpath(*name.split("/"))) as path:
        if not path.is_file():
            raise NotFound("This build came without the scripts of `/docs`; read `/openapi.json`.")
        return FileResponse(path, headers=_HEADERS)
