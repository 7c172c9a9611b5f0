"""What is on the server and not in the file, of the sections that the file has: the steps that remove it.

A section that the file has is meant to be whole; one that it has not says nothing. The organisation, its own keys (who
runs this has one), the default workspace, owners and the keys of users are never removed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from headgate.cli.apply.errors import BadFile
from headgate.cli.apply.kinds import (
    INTEGRATIONS,
    KEYS,
    KINDS,
    ORGANISATION,
    PROVIDERS,
    TENANTS,
    USERS,
    WORKSPACES,
    Kind,
)
from headgate.cli.apply.live import Live
from headgate.cli.apply.people import leaving_steps
from headgate.cli.apply.platform import Declared
from headgate.cli.apply.source import Source
from headgate.cli.apply.step import Step
from headgate.tenancy.roles import OrganizationRole

SHOWN: Final = 5
_CONTENTS: Final[Mapping[Kind, tuple[tuple[Kind, str], ...]]] = {
    WORKSPACES: ((TENANTS, "workspace_id"), (KEYS, "workspace_id")),
    TENANTS: ((KEYS, "tenant_id"),),
}
"""What one holds, and by which field of that."""


def removals(declared: Sequence[Declared], source: Source, live: Live, *, with_contents: bool) -> list[Step]:
    """In the order in which they can be taken: what is held before what holds it.

    Raises `BadFile` for one that holds what would stay, unless it goes `with_contents`.
    """
    named = {(each.kind.section, each.identity) for each in declared}
    gone = [
        each
        for kind in KINDS
        if kind is not ORGANISATION and _has(source, kind)
        for each in live.all(kind, source)
        if (kind.section, each.identity) not in named and _may_go(each, live)
    ]
    steps = list(leaving_steps(declared, source, live)) if _has(source, USERS) else []
    for holder in [each for each in gone if each.kind in (INTEGRATIONS, *_CONTENTS)]:
        staying = [each for each in _held(holder, live, source) if each not in gone]
        given = live.given(holder) if holder.kind is INTEGRATIONS else ()
        if not with_contents and (staying or given):
            _refuse(holder, [*(each.title for each in staying), *(f"workspace {slug}" for slug in given)])
        gone += staying
        if given:
            taken = {"workspaces": [{"id": slug, "enabled": False} for slug in given]}
            path = f"{live.path(holder)}/workspaces"
            steps.append(Step("remove", f"workspaces of {holder.title}", (), "PUT", path, taken, holder))
    gone.sort(key=lambda each: KINDS.index(each.kind), reverse=True)
    return [*steps, *(Step("remove", each.title, (), "DELETE", live.path(each), {}, each) for each in gone)]


def _has(source: Source, kind: Kind) -> bool:
    section: Any = source.value
    for name in kind.section.split("."):
        section = section.get(name) if isinstance(section, Mapping) else None
    return section is not None


def _may_go(each: Declared, live: Live) -> bool:
    """A provider that its integration made by itself goes with that."""
    if each.kind is PROVIDERS:
        return not live.made_by_itself(each)
    if each.kind is KEYS:
        return bool(each.fields.get("workspace_id")) and not each.fields.get("user_id")
    return not each.fields.get("is_default") and each.fields.get("role") != OrganizationRole.OWNER


def _held(holder: Declared, live: Live, source: Source) -> Iterator[Declared]:
    """Directly, and by what is held: a workspace's tenants are in it, and so are their keys."""
    for kind, field in _CONTENTS.get(holder.kind, ()):
        yield from (each for each in live.all(kind, source) if each.fields.get(field) == holder.identity[0])


def _refuse(holder: Declared, held: Sequence[str]) -> None:
    more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
    raise BadFile(
        f"{holder.title} is not in the file, and holds {', '.join(held[:SHOWN])}{more}. Say --with-contents to remove "
        "all of that with it, or keep it in the file."
    )
