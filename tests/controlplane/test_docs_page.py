"""`/docs`: it needs nothing from elsewhere, and allows nothing from there."""

import re
from importlib.resources import files

import pytest

from headgate.controlplane import docs
from tests.support.administration import World


async def test_the_page_and_all_that_it_names_are_served(world: World) -> None:
    """Without a key, from this gateway, and under a policy under which a browser asks nobody else."""
    page = await world.call("GET", "/docs", key="")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    named = re.findall(r'(?:href|src)="([^"]+)"', page.body.decode())
    assert len(named) == 5
    for name in named:
        reply = await world.call("GET", f"/{name}", key="")
        assert reply.status == 200, name
    assert {f"docs/{name}" for name in docs.NAMES} == set(named) - {"openapi.json"}
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert b"<style" not in page.body
    assert not re.search(rb"<script(?![^>]*src=)", page.body)


async def test_the_styles_name_no_other_site(world: World) -> None:
    """Pictures are in the style itself."""
    for name in ("page.css", "vendor/swagger-ui.css"):
        style = (await world.call("GET", f"/docs/{name}", key="")).body.decode()
        assert not re.search(r"url\(['\"]?(?!['\"]?data:)|@import", style)


async def test_other_files_are_not_served(world: World) -> None:
    """Whatever the path is made of; nor is another page that loads scripts from elsewhere."""
    for path in ("/docs/page.html", "/docs/__init__.py", "/docs/../docs/page.js", "/docs/vendor/..%2f__init__.py"):
        assert (await world.call("GET", path, key="")).status == 404, path
    for path in ("/redoc", "/docs/oauth2-redirect"):
        assert (await world.call("GET", path, key="")).status == 404, path


async def test_a_build_without_the_scripts_leads_to_the_document(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Node could not be had: the page is there, and what it lacks is said."""
    monkeypatch.setattr(docs, "NAMES", ("vendor/absent.js",))
    reply = await world.call("GET", "/docs/vendor/absent.js", key="")
    assert (reply.status, "openapi.json" in reply.json["error"]["message"]) == (404, True)
    assert b'href="openapi.json"' in (files(docs.__name__) / "page.html").read_bytes()
