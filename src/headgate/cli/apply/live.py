"""What the server has, in the words of the file: workspaces and tenants by the names they have there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from headgate.cli.administrator import Administrator
from headgate.cli.apply.kinds import (
    CONFIGS,
    GUARDRAILS,
    INTEGRATIONS,
    ORGANISATION,
    PROVIDERS,
    TENANTS,
    WORKSPACES,
    Kind,
)
from headgate.cli.apply.platform import Declared, Identity
from headgate.cli.apply.source import Source

PAGE: Final = 10_000
INVITES: Final = "/admin/users/invites"


@dataclass(frozen=True, slots=True)
class Found:
    """An object that is there: where, and its fields as they are shown."""

    path: str
    fields: Mapping[str, Any]


@dataclass(slots=True)
class Names:
    """Configs and guardrails are referred to by name within the file, and by slug on the server."""

    _slugs: dict[tuple[str, str | None, str], str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def add(self, kind: Kind, workspace: str | None, name: str, shown: Mapping[str, Any]) -> None:
        slug = str(shown["slug"])
        self._slugs[kind.section, workspace, name] = slug
        self._names |= {slug: name, str(shown["id"]): name}

    def slug(self, kind: Kind, workspace: str | None, text: str) -> str:
        """What the server calls it; the text itself where no such name is known."""
        own = self._slugs.get((kind.section, workspace, text))
        return own or self._slugs.get((kind.section, None, text)) or text

    def name(self, reference: str) -> str:
        """The name of what a slug or an id means; else that itself."""
        return self._names.get(reference, reference)


class Live:
    """Asked as far as it is needed. Raises `Refused` and `Unavailable` as the administrator does."""

    def __init__(self, administrator: Administrator) -> None:
        self._administrator = administrator
        self._lists: dict[str, dict[Identity, list[Mapping[str, Any]]]] = {}
        self._members: dict[tuple[str, str], Mapping[str, str]] = {}
        self.names = Names()
        for kind in (CONFIGS, GUARDRAILS):
            for entries in self._listed(kind).values():
                for each in entries:
                    self.names.add(kind, each["workspace_id"], each["name"], each)

    @cached_property
    def organisation(self) -> Mapping[str, Any]:
        return self._administrator.get(ORGANISATION.path)

    def find(self, wanted: Declared) -> Found | None:
        """The one that is meant. Raises `BadFile` where several have its name."""
        kind = wanted.kind
        if kind is ORGANISATION:
            return Found(kind.path, self.organisation)
        entries = self._listed(kind).get(wanted.identity, [])
        if not entries:
            return None
        if len(entries) > 1:
            ids = ", ".join(str(each["id"]) for each in entries)
            raise wanted.wrong("", f"there are {len(entries)} with this name ({ids}). Rename or remove all but one.")
        shown = entries[0]
        path = _path(kind, shown)
        if kind in (INTEGRATIONS, CONFIGS, GUARDRAILS):  # a list does not show all of them
            shown = self._named(self._administrator.get(path))
        return Found(f"{path}?workspace_id={shown['workspace_id']}" if kind is PROVIDERS else path, shown)

    def all(self, kind: Kind, source: Source) -> list[Declared]:
        """Everything of a kind, as the file would name it."""
        listed = self._listed(kind).values()
        return [Declared(kind, kind.section, each, source) for entries in listed for each in entries]

    def path(self, each: Declared) -> str:
        """Where one is that was found so."""
        path = _path(each.kind, each.fields)
        return f"{path}?workspace_id={each.fields['workspace_id']}" if each.kind is PROVIDERS else path

    def given(self, integration: Declared) -> list[str]:
        """The workspaces that have it, by their slugs."""
        given, _ = self.access(str(integration.fields["slug"]))
        return [slug for slug, each in given.items() if each["enabled"]]

    def made_by_itself(self, provider: Declared) -> bool:
        """Whether an integration gave it its own name."""
        return (provider.fields["slug"],) in self._listed(INTEGRATIONS)

    def access(self, integration: str) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[str, Any]]:
        """What each workspace has of an integration, by its slug, and what those to come will have."""
        shown = self._administrator.get(f"{INTEGRATIONS.path}/{integration}/workspaces")
        return {each["slug"]: _whole(each) for each in shown["workspaces"]}, _whole(shown["global_workspace_access"])

    def models(self, integration: str) -> tuple[Mapping[str, Mapping[str, Any]], bool]:
        """What was said about models of an integration, and whether all others are allowed."""
        shown = self._administrator.get(f"{INTEGRATIONS.path}/{integration}/models")
        return {each["slug"]: each for each in shown["models"] if "created_at" in each}, shown["allow_all_models"]

    @cached_property
    def workspaces(self) -> Mapping[str, str]:
        """Slugs by id."""
        return {each["id"]: each["slug"] for each in self._all(WORKSPACES.path)}

    @cached_property
    def tenants(self) -> Mapping[str, str]:
        """The platform's own names for them, by id."""
        return {each["id"]: each["tenant_id"] for each in self._all(TENANTS.path)}

    def names_of(self, kind: Kind) -> Collection[str]:
        """Of all workspaces, or of all tenants, that are there."""
        return (self.workspaces if kind is WORKSPACES else self.tenants).values()

    def members(self, kind: Kind, name: str) -> Mapping[str, str]:
        """Roles in a workspace or a tenant by the users' ids; nobody is in one that is not there yet."""
        if name not in self.names_of(kind):
            return {}
        if (kind.section, name) not in self._members:
            found = self._all(f"{kind.path}/{quote(name, safe='')}/users")
            self._members[kind.section, name] = {each["id"]: each["role"] for each in found}
        return self._members[kind.section, name]

    @cached_property
    def invites(self) -> Mapping[str, Mapping[str, Any]]:
        """Those that can still be accepted, by the address."""
        found = [each for each in self._all(INVITES) if each["status"] == "pending"]
        return {each["email"]: {**each, **self._places(each)} for each in found}

    def _places(self, invite: Mapping[str, Any]) -> dict[str, Any]:
        names = {"workspaces": self.workspaces, "tenants": self.tenants}
        return {
            field: [{**entry, "id": of_id.get(entry["id"], entry["id"])} for entry in invite[field]]
            for field, of_id in names.items()
        }

    def _listed(self, kind: Kind) -> dict[Identity, list[Mapping[str, Any]]]:
        if kind.section not in self._lists:
            found = self._lists[kind.section] = {}
            for each in self._all(kind.path):
                named = self._named(each)
                found.setdefault(tuple(named.get(name) for name in kind.named_by), []).append(named)
        return self._lists[kind.section]

    def _all(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            query = {"current_page": str(len(found) // PAGE), "page_size": str(PAGE)}
            page = self._administrator.get(path, query)
            found += page["data"]
            if len(found) >= page["total"] or not page["data"]:
                return found

    def _named(self, shown: Mapping[str, Any]) -> Mapping[str, Any]:
        named = _whole(shown)
        if named.get("workspace_id"):
            named["workspace_id"] = self.workspaces[named["workspace_id"]]
        if named.get("tenant_id") in self.tenants:
            named["tenant_id"] = self.tenants[named["tenant_id"]]
        if "conditions" in named:
            named["conditions"] = [self._condition(each) for each in named["conditions"]]
        return named

    def _condition(self, shown: Mapping[str, Any]) -> Mapping[str, Any]:
        """A policy is written with slugs of workspaces and shown with their ids."""
        value = shown["value"]
        if shown["key"] != "workspace_id":
            return shown
        slugs = [self.workspaces.get(each, each) for each in ([value] if isinstance(value, str) else value)]
        return {**shown, "value": slugs[0] if isinstance(value, str) else slugs}


def _path(kind: Kind, shown: Mapping[str, Any]) -> str:
    return f"{kind.path}/{quote(str(shown.get('slug') or shown['id']), safe='')}"


def _whole(shown: Mapping[str, Any]) -> dict[str, Any]:
    """With the whole lists of limits, where the contract has room for one only."""
    lists = {name: shown[f"{name}_list"] for name in ("usage_limits", "rate_limits") if f"{name}_list" in shown}
    return {**shown, **lists}
