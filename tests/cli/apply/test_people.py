"""`headgate apply` and people: invited once, then kept as the file says, and gone when it is pruned."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.apply.test_apply import apply
from tests.support.gateway import Gateway, started
from tests.support.smtp_server import SmtpServer

FILE = """
workspaces: [{slug: one, name: One}, {slug: two, name: Two}]
tenants: [{tenant_id: acme, name: Acme, workspace_id: one}]
users:
  - email: Ann@Example.com
    role: member
    workspaces: [{id: one, role: manager}]
    tenants: [{id: acme}]
    workspace_api_key_details: {scopes: [completions.write]}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with started(tmp_path_factory.mktemp("people")) as running_gateway:
        yield running_gateway


def place(gateway: Gateway, path: str) -> dict[str, str]:
    return {each["email"]: each["role"] for each in gateway.admin("GET", f"{path}/users")["data"]}


def pending(gateway: Gateway) -> list[dict[str, Any]]:
    return list(gateway.admin("GET", "/admin/users/invites?status=pending")["data"])


async def test_a_person_s_way(gateway: Gateway, tmp_path: Path) -> None:
    """Invited once, with a link that is kept as secrets are and works; another role makes another invite; once he is a
    user, his roles and places change in place; what the file does not name stays until it is pruned."""
    first = await apply(gateway, tmp_path, FILE, "--yes", "--keys-file", "k")
    assert first.code == 0, first.err
    assert "+ user ann@example.com" in first.out
    assert (await apply(gateway, tmp_path, FILE, "--dry-run")).out.startswith("Nothing to change")
    changed = await apply(gateway, tmp_path, FILE.replace("manager", "member"), "--yes", "--keys-file", "k")
    assert changed.out.splitlines()[:2] == ["~ user ann@example.com", '    workspaces[0].role: "manager" -> "member"']
    [before, link] = [json.loads(line)["invite_link"] for line in (tmp_path / "k").read_text().splitlines()]
    assert link not in first.out + changed.out
    [invite] = pending(gateway)
    assert invite["workspace_api_key_details"] == {"scopes": ["completions.write"]}
    assert accepted(gateway, before) == 404
    assert accepted(gateway, link) == 200

    assert (place(gateway, "/admin/workspaces/one"), place(gateway, "/admin/tenants/acme")) == (
        {"ann@example.com": "member"},
        {"ann@example.com": "member"},
    )
    assert (await apply(gateway, tmp_path, FILE.replace("manager", "member"), "--dry-run")).code == 0
    other = (
        FILE.replace("role: member", "role: admin")
        .replace("{id: one, role: manager}", "{id: one, role: manager}, {id: two, role: member}")
        .replace("{id: acme}", "{id: acme, role: manager}")
    )
    ran = await apply(gateway, tmp_path, other, "--yes")
    assert ran.out.splitlines()[-2:] == ["0 to create, 1 to change, 3 as they are.", "Done."]
    assert place(gateway, "/admin/workspaces/one") == {"ann@example.com": "manager"}
    assert place(gateway, "/admin/workspaces/two") == {"ann@example.com": "member"}
    assert place(gateway, "/admin/tenants/acme") == {"ann@example.com": "manager"}
    assert gateway.admin("GET", "/admin/users?email=ann@example.com")["data"][0]["role"] == "admin"
    assert (await apply(gateway, tmp_path, other, "--dry-run")).code == 0

    gateway.admin("POST", "/admin/users/invites", {"email": "bob@example.com", "role": "member"})
    fewer = other.replace("{id: one, role: manager}, ", "").replace("[{id: acme, role: manager}]", "[]")
    assert (await apply(gateway, tmp_path, fewer, "--dry-run")).code == 0
    pruned = await apply(gateway, tmp_path, fewer, "--yes", "--prune")
    assert pruned.out.splitlines()[:-2] == [
        "- invite of bob@example.com",
        "- user ann@example.com from workspace one",
        "- user ann@example.com from tenant acme",
    ]
    assert (place(gateway, "/admin/workspaces/one"), place(gateway, "/admin/tenants/acme")) == ({}, {})
    assert pending(gateway) == []

    owner = gateway.admin("POST", "/admin/users/invites", {"email": "eve@example.com", "role": "owner"})
    assert accepted(gateway, owner["invite_link"]) == 200
    assert (await apply(gateway, tmp_path, "users: []\n", "--yes", "--prune")).code == 0
    assert [each["email"] for each in gateway.admin("GET", "/admin/users")["data"]] == ["eve@example.com"]


async def test_what_cannot_be_is_refused_before_anything_changes(gateway: Gateway, tmp_path: Path) -> None:
    """A role that there is not, a place that is nowhere."""
    for before, after, why in (
        ("role: manager", "role: boss", "`users[0].workspaces[0].role`: `workspaces[0].role` must be one of admin"),
        ("{id: acme}", "{id: acmee}", "`users[0].tenants[0].id`: there is no tenant `acmee`"),
    ):
        ran = await apply(gateway, tmp_path, FILE.replace(before, after), "--yes")
        assert (ran.code, ran.out) == (1, "")
        assert why in ran.err


def accepted(gateway: Gateway, link: str) -> int:
    body = {"token": link.rpartition("=")[2], "first_name": "A"}
    return gateway.post("/v1/admin/users/invites/accept", body, "").status


async def test_a_link_that_goes_out_as_a_letter_is_told_to_nobody_else(tmp_path: Path) -> None:
    """Neither in the keys file nor on the terminal."""
    async with SmtpServer() as mail:
        with started(tmp_path, {"HEADGATE_SMTP_URL": f"smtp://127.0.0.1:{mail.port}"}) as posting:
            kept = await apply(posting, tmp_path, FILE, "--yes", "--keys-file", "k")
            shown = await apply(posting, tmp_path, FILE.replace("Ann@", "bob@"), "--yes")
            assert (kept.code, shown.code) == (0, 0), kept.err + shown.err
            assert len(pending(posting)) == 2
    assert (tmp_path / "k").read_text() == ""
    assert "token=" not in kept.out + shown.out
