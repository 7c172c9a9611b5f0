"""Every page, by everybody: generated from the table of pages, so that a new one is tried as well."""

import re
from collections.abc import Collection, Mapping

import pytest

from headgate.console.pages import PAGES
from headgate.tenancy.roles import ORGANIZATION_ROLES, WORKSPACE_ROLES, OrganizationRole, WorkspaceRole
from tests.console.conftest import Browser, text_of
from tests.console.furnished import QUERIES, furnished
from tests.support.people import invited

PASSWORD = "a password of ours"
ORGANIZATION_ONLY = {
    "/workspaces/{workspace}/edit",
    "/workspaces/{workspace}/reset",
    "/integrations/{integration}/access",
    "/integrations/{integration}/models/price",
}
"""Refused to everybody of a workspace, although its scope is among those of a workspace, or because it has none."""
NOT_HIS = {"/integrations/{integration}", "/integrations/{integration}/edit", "/integrations/{integration}/models"}
"""Of an integration of the organization's: not there for somebody of a workspace."""
ALL = [(method, path, scopes) for method, path, _, scopes in PAGES]


class Filled(dict[str, str]):
    """What stands in the path of a form need not be there to be refused."""

    def __missing__(self, name: str) -> str:
        return "absent"


async def signed_in(browser: Browser, role: str, values: Mapping[str, str]) -> None:
    """With a password, as a new user: `admin` of the organization, `workspace admin` of the workspace `place`."""
    of, _, name = role.rpartition(" ")
    places = [{"id": values["workspace"], "role": name}] if of else []
    _, token = await invited(browser.world, "who@example.com", "member" if of else name, workspaces=places)
    fields = {"token": token, "first_name": "W", "password": PASSWORD}
    assert (await browser.post("/console/invite", fields)).status == 200


def let_in(path: str, scopes: Collection[str], held: Collection[str], *, of_workspace: bool) -> bool:
    """What the table says."""
    if of_workspace and path in ORGANIZATION_ONLY:
        return False
    return not scopes or not set(scopes).isdisjoint(held)


async def wrong(browser: Browser, values: Mapping[str, str], held: Collection[str], *, of_workspace: bool) -> list[str]:
    """Pages that are not as the table says. Forms are sent empty, and without the secret of the session to all that
    would change something for those who may."""
    found = []
    for method, path, scopes in ALL:
        expected = let_in(path, scopes, held, of_workspace=of_workspace)
        where = f"/console{path.format_map(Filled(values))}{QUERIES.get(path, '')}"
        if method == "GET":
            reply = await browser.send("GET", where)
            fine = {200, 303} | ({404} if of_workspace and path in NOT_HIS else set())
            good = reply.status in fine if expected else reply.status == 403
        elif expected:
            reply = await browser.send("POST", where, {})  # its secret is missing: nothing changes
            good = reply.status == 403 and "another session" in text_of(reply)
        else:
            reply = await browser.post(where, {}, page="/console/account")
            good = reply.status == 403
        if not good:
            found.append(f"{method} {path}: {reply.status}, and it should be {'open' if expected else 'closed'}")
    return found


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_who_administers_the_organization_opens_every_page(browser: Browser, role: str) -> None:
    """And no form does anything without the secret of the session."""
    values = await furnished(browser.world)
    await signed_in(browser, role, values)
    assert not await wrong(browser, values, ORGANIZATION_ROLES[OrganizationRole(role)], of_workspace=False)


@pytest.mark.parametrize("role", list(WorkspaceRole))
async def test_a_member_opens_what_his_role_says(browser: Browser, role: WorkspaceRole) -> None:
    """Neither the page nor the form of any other."""
    values = await furnished(browser.world)
    await signed_in(browser, f"workspace {role}", values)
    assert not await wrong(browser, values, WORKSPACE_ROLES[role], of_workspace=True)


async def test_whoever_has_not_signed_in_opens_nothing(browser: Browser) -> None:
    """Pages lead to the sign-in, forms are refused."""
    values = await furnished(browser.world)
    for method, path, _ in ALL:
        reply = await browser.send(
            method, f"/console{path.format_map(Filled(values))}", {} if method == "POST" else None
        )
        assert reply.status == (303 if method == "GET" else 401), path
        assert method == "POST" or reply.headers["location"].startswith("/console/sign-in")


@pytest.mark.parametrize("role", list(WorkspaceRole))
async def test_every_link_and_button_of_a_page_is_for_who_sees_it(browser: Browser, role: WorkspaceRole) -> None:
    """What a member can click on answers; a form that he is shown is not refused for his role."""
    values = await furnished(browser.world)
    await signed_in(browser, f"workspace {role}", values)
    pages = [f"/console{path.format_map(Filled(values))}" for method, path, _ in ALL if method == "GET"]
    links: dict[str, str] = {}
    for page in pages:
        reply = await browser.send("GET", page)
        if reply.status == 200:
            links |= dict.fromkeys(re.findall(r'<a [^>]*href="(/console[^"#]*)"', reply.body.decode()), page)
    for link, page in links.items():
        reply = await browser.send("GET", link.replace("&amp;", "&"))
        assert reply.status in (200, 303), f"{page} leads to {link}: {reply.status}"
