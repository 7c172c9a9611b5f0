"""People: who is to be a user, and as what in which workspaces and tenants. Whoever is none yet is invited.

A password is never in the file: who is invited chooses one. Places that a user has beyond the file stay, unless they
are pruned.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from headgate.base.errors import InvalidRequest
from headgate.cli.apply.difference import Difference, differences
from headgate.cli.apply.kinds import TENANTS, USERS, WORKSPACES, Kind
from headgate.cli.apply.live import INVITES, Live
from headgate.cli.apply.platform import Declared
from headgate.cli.apply.source import Source
from headgate.cli.apply.step import Step
from headgate.tenancy.membership import workspace_role
from headgate.tenancy.tenant_member import TenantRole, tenant_role
from headgate.tenancy.users import organization_role

PLACES: Final[Mapping[str, Kind]] = {"workspaces": WORKSPACES, "tenants": TENANTS}


def person_steps(each: Declared, live: Live) -> Iterator[Step]:
    """Until he is invited, or has what the file says. Raises `BadFile` for a role that there is not."""
    _refuse_roles(each)
    user, invite = live.find(each), live.invites.get(str(each.fields["email"]))
    if user is not None:
        if each.fields["role"] != user.fields["role"]:
            changed = Difference("role", "role", user.fields["role"], each.fields["role"])
            yield Step("change", each.title, [changed], "PUT", user.path, {"role": each.fields["role"]}, each)
        for field, kind in PLACES.items():
            for entry in each.fields.get(field) or []:
                yield from _place_steps(each, field, kind, entry, str(user.fields["id"]), live)
    elif invite is None:
        yield Step("create", each.title, differences(each, {}, live.names), "POST", INVITES, each.fields, each)
    elif changes := list(_changes(each, invite)):
        kept = {name: invite[name] for name in USERS.fields if name != "email" and invite[name] is not None}
        yield Step("change", each.title, changes, "DELETE", f"{INVITES}/{invite['id']}", {}, each)
        yield Step("change", each.title, (), "POST", INVITES, {**kept, **each.fields}, each)


def leaving_steps(declared: Sequence[Declared], source: Source, live: Live) -> Iterator[Step]:
    """Invites of people whom the file does not name, and places that it does not, of users whose places it names."""
    named = {each.fields["email"] for each in declared if each.kind is USERS}
    for email, invite in live.invites.items():
        if email not in named:
            gone = Declared(USERS, USERS.section, {"email": email}, source)
            yield Step("remove", f"invite of {email}", (), "DELETE", f"{INVITES}/{invite['id']}", {}, gone)
    for each in declared:
        user = live.find(each) if each.kind is USERS else None
        if user is None:
            continue
        for field, kind in PLACES.items():
            if field not in each.fields:
                continue
            staying = {entry["id"] for entry in each.fields[field] or []}
            for place in live.names_of(kind):
                if place not in staying and user.fields["id"] in live.members(kind, place):
                    path = f"{_members(kind, place)}/{user.fields['id']}"
                    yield Step("remove", f"{each.title} from {kind.noun} {place}", (), "DELETE", path, {}, each)


def _place_steps(
    each: Declared, field: str, kind: Kind, entry: Mapping[str, Any], user_id: str, live: Live
) -> Iterator[Step]:
    place, path = str(entry["id"]), _members(kind, str(entry["id"]))
    before, after = live.members(kind, place).get(user_id), _role(entry)
    if before == after:
        return
    changed = [Difference(field, f"{field}[{place}]", before, after)]
    if before is not None and kind is WORKSPACES:
        yield Step("change", each.title, changed, "PUT", f"{path}/{user_id}", {"role": after}, each)
        return
    if before is not None:  # a tenant's user is one thing or the other: he leaves and comes again
        yield Step("change", each.title, changed, "DELETE", f"{path}/{user_id}", {}, each)
        changed = []
    yield Step("change", each.title, changed, "POST", path, {"users": [{"id": user_id, "role": after}]}, each)


def _changes(each: Declared, invite: Mapping[str, Any]) -> Iterator[Difference]:
    for name, after in each.fields.items():
        if _meant(after) != _meant(invite[name]):
            yield Difference(name, name, invite[name], after)


def _meant(value: Any) -> Any:
    if isinstance(value, Mapping):
        return frozenset(value["scopes"])
    if isinstance(value, list):
        return frozenset((entry["id"], _role(entry)) for entry in value)
    return value or frozenset()


def _role(entry: Mapping[str, Any]) -> str:
    return str(entry.get("role") or TenantRole.MEMBER)


def _members(kind: Kind, place: str) -> str:
    return f"{kind.path}/{quote(place, safe='')}/users"


def _refuse_roles(each: Declared) -> None:
    try:
        organization_role(each.fields["role"])
        for index, entry in enumerate(each.fields.get("workspaces") or []):
            workspace_role(entry["role"], f"workspaces[{index}].role")
        for index, entry in enumerate(each.fields.get("tenants") or []):
            tenant_role(_role(entry), f"tenants[{index}].role")
    except InvalidRequest as error:
        raise each.wrong(error.param or "", error.message) from None
