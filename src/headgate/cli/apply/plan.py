"""What has to be done: the steps from what is there to what is declared, in the order in which they can be taken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from headgate.cli.apply.difference import differences
from headgate.cli.apply.kinds import CONFIGS, INTEGRATIONS, KEYS, KINDS, ORGANISATION, TENANTS, USERS, WORKSPACES
from headgate.cli.apply.live import Live
from headgate.cli.apply.parts import ELSEWHERE, ONLY_WHEN_MADE, access_step, models_step
from headgate.cli.apply.people import PLACES, person_steps
from headgate.cli.apply.platform import Declared
from headgate.cli.apply.step import Step

REFERRING: Final = ("config_id", "input_guardrails", "output_guardrails")
"""Of `defaults`: what is made after the workspace that has it."""
_SCHEMAS: Final = {KEYS: "api_key_metadata_schema", WORKSPACES: "workspace_metadata_schema"}


def plan(declared: Sequence[Declared], live: Live, *, credentials: bool = False) -> list[Step]:
    """The steps. With `credentials` each credential is sent, even where it looks like the one that is there.

    Raises `BadFile` where something is referred to that is nowhere, or cannot become what is declared.
    """
    planning = _Planning(declared, live, credentials=credentials)
    found: list[Step] = []
    for kind in KINDS:
        for each in declared:
            if each.kind is kind:
                found += planning.steps(each)
        if kind is CONFIGS:
            found += [step for each in declared for step in planning.links(each)]
    return found


class _Planning:
    def __init__(self, declared: Sequence[Declared], live: Live, *, credentials: bool) -> None:
        self._declared = declared
        self._live = live
        self._credentials = credentials
        self._organisation = next((each for each in declared if each.kind is ORGANISATION), None)
        self._there = {
            "workspace_id": set(live.workspaces.values()) | self._declared_names(WORKSPACES, "slug"),
            "tenant_id": set(live.tenants.values()) | self._declared_names(TENANTS, "tenant_id"),
        }

    def steps(self, each: Declared) -> Iterator[Step]:
        """Of one object, but for its links."""
        self._refuse_dangling(each)
        if each.kind is USERS:
            yield from person_steps(each, self._live)
            return
        yield from self._own(_itself(each))
        if each.kind is INTEGRATIONS:
            yield from models_step(each, self._live)
            yield from access_step(each, self._live, self._declared)

    def links(self, each: Declared) -> Iterator[Step]:
        """What a workspace or the organisation refers to, once that is there."""
        links = _links(each)
        if not links:
            return
        found = self._live.find(each)
        linking = replace(each, fields={"defaults": links})
        changes = differences(linking, found.fields if found else {}, self._live.names)
        if changes:
            path = found.path if found else f"{each.kind.path}/{each.identity[0]}"
            yield Step("change", each.title, changes, "PUT", path, {"defaults": links}, each)

    def _own(self, each: Declared) -> Iterator[Step]:
        found = self._live.find(each)
        if found is None:
            changes = differences(each, {}, self._live.names)
            yield Step("create", each.title, changes, "POST", _made_at(each), each.fields, each)
            return
        lasting = {name: value for name, value in each.fields.items() if name not in ONLY_WHEN_MADE}
        changes = differences(
            replace(each, fields=lasting),
            found.fields,
            self._live.names,
            schema=self._schema(each),
            credentials=self._credentials,
        )
        for change in changes:
            if change.field in each.kind.fixed:
                raise each.wrong(change.field, "cannot be changed later. Keep it, or declare another one.")
        if changes:
            body = {name: each.fields[name] for name in dict.fromkeys(change.field for change in changes)}
            if "configurations" in body and "key" in each.fields:
                body["key"] = each.fields["key"]  # a credential does not follow to another host by itself
            yield Step("change", each.title, changes, "PUT", found.path, body, each)

    def _schema(self, each: Declared) -> Mapping[str, Any] | None:
        """The schema that fills in its metadata, as it will be."""
        name = _SCHEMAS.get(each.kind)
        if name is None or (each.kind is KEYS and not each.fields.get("workspace_id")):
            return None
        wanted = self._organisation.fields if self._organisation else {}
        schema: Mapping[str, Any] | None = wanted.get(name, self._live.organisation[name])
        return schema

    def _declared_names(self, kind: object, name: str) -> set[str]:
        return {each.fields[name] for each in self._declared if each.kind is kind}

    def _refuse_dangling(self, each: Declared) -> None:
        for field, there in self._there.items():
            if (each.kind is not TENANTS or field != "tenant_id") and each.fields.get(field):
                self._require(each, field, each.fields[field], there)
        if each.kind is INTEGRATIONS:
            for index, entry in enumerate(each.fields.get("workspaces") or []):
                self._require(each, f"workspaces[{index}].id", entry["id"], self._there["workspace_id"])
        for field, kind in PLACES.items() if each.kind is USERS else ():
            there = self._there["workspace_id" if kind is WORKSPACES else "tenant_id"]
            for index, entry in enumerate(each.fields.get(field) or []):
                self._require(each, f"{field}[{index}].id", entry["id"], there)

    def _require(self, each: Declared, field: str, name: str, there: set[str]) -> None:
        if name not in there:
            noun = "tenant" if field.startswith("tenant") else "workspace"
            raise each.wrong(field, f"there is no {noun} `{name[:100]}`, neither in this file nor on the server.")


def _itself(each: Declared) -> Declared:
    """Without its links, and without what has routes of its own."""
    fields = {
        name: value for name, value in each.fields.items() if each.kind is not INTEGRATIONS or name not in ELSEWHERE
    }
    links = _links(each)
    if links:
        rest = {name: value for name, value in fields.pop("defaults").items() if name not in links}
        fields |= {"defaults": rest} if rest else {}
    return replace(each, fields=fields)


def _links(each: Declared) -> dict[str, Any]:
    defaults = each.fields.get("defaults") if each.kind in (ORGANISATION, WORKSPACES) else None
    return {name: defaults[name] for name in REFERRING if name in defaults} if defaults else {}


def _made_at(each: Declared) -> str:
    if each.kind is not KEYS:
        return each.kind.path
    level = "workspace" if each.fields.get("workspace_id") else "organisation"
    return f"{KEYS.path}/{level}/{'user' if each.fields.get('user_id') else 'service'}"
