"""The file as what it declares. All that can be wrong with it is said here, by line, before the server is asked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from headgate.base.errors import InvalidRequest
from headgate.base.redaction import without_secrets
from headgate.cli.apply.errors import BadFile
from headgate.cli.apply.fields import READERS
from headgate.cli.apply.kinds import INTEGRATIONS, KEYS, KINDS, ORGANISATION, REQUIRED, USERS, WEBHOOKS, Kind
from headgate.cli.apply.known import unknown_fields
from headgate.cli.apply.secret import Secret, revealed
from headgate.cli.apply.source import Source
from headgate.controlplane.errors import invalid

_HEADERS: Final = re.compile(r"(?:models\[\d+\]\.)?configurations\.custom_headers\.[^.]+")
_WAY_OUT: Final = "a credential does not go into this file. Name an environment variable: `{env: OPENAI_API_KEY}`."
_SPELLED: Final = {USERS: "email", WEBHOOKS: "url"}
Identity = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """One object. `fields` are as they are written, with a `Secret` for each credential; `source` says where."""

    kind: Kind
    place: str
    fields: Mapping[str, Any]
    source: Source

    @property
    def identity(self) -> Identity:
        return tuple(self.fields.get(name) for name in self.kind.named_by)

    @property
    def title(self) -> str:
        """What it is called: `key "Acme" of workspace-starter`."""
        if self.kind is ORGANISATION:
            return self.kind.noun
        named = dict(zip(self.kind.named_by, self.identity, strict=True))
        workspace = named.pop("workspace_id", None)
        of = f" of {workspace}" if workspace else ""
        return f"{self.kind.noun} {' '.join(str(each) for each in named.values() if each)}{of}"

    def wrong(self, field: str, why: str) -> BadFile:
        return self.source.wrong(f"{self.place}.{field}" if field else self.place, why)


def declared(source: Source, environment: Mapping[str, str]) -> list[Declared]:
    """Everything, in the order in which it can be made. Raises `BadFile`."""
    found = [
        _checked(kind, place, fields, source, environment) for kind in KINDS for place, fields in _entries(kind, source)
    ]
    first: dict[tuple[str, Identity], Declared] = {}
    for each in found:
        before = first.setdefault((each.kind.section, each.identity), each)
        if before is not each:
            raise each.wrong("", f"{each.title} is there twice; first at `{before.place}`.")
    return found


def _entries(kind: Kind, source: Source) -> Iterator[tuple[str, Mapping[str, Any]]]:
    document = source.value
    if not isinstance(document, dict):
        raise source.wrong("", "the file must be a mapping of sections.")
    _refuse_unknown_sections(document, source)
    section: Any = document
    for name in kind.section.split("."):
        section = (section or {}).get(name)
        if "." in kind.section and name == "policies" and not isinstance(section, dict | None):
            raise source.wrong(name, "must be a mapping of `usage_limits` and `rate_limits`.")
    if section is None:
        return
    one = kind is ORGANISATION
    if not isinstance(section, dict if one else list):
        raise source.wrong(kind.section, "must be a mapping." if one else "must be a list.")
    numbered = [(f"{kind.section}[{index}]", each) for index, each in enumerate(section)]
    for place, fields in [(kind.section, section)] if one else numbered:
        if not isinstance(fields, dict):
            raise source.wrong(place, "must be a mapping.")
        yield place, fields


def _refuse_unknown_sections(document: Mapping[str, Any], source: Source) -> None:
    known = {kind.section for kind in KINDS}
    policies = document.get("policies")
    told = [name for name in document if name != "policies"]
    told += [f"policies.{name}" for name in policies] if isinstance(policies, dict) else []
    for name in told:
        if name not in known:
            raise source.wrong(name, f"there is no such section. Known: {', '.join(sorted(known))}.")


def _checked(
    kind: Kind, place: str, written: Mapping[str, Any], source: Source, environment: Mapping[str, str]
) -> Declared:
    whole = _complete(kind, written)
    fields = {name: _resolved(each, name, place, source, environment) for name, each in whole.items()}
    found = Declared(kind, place, fields, source)
    plain = revealed(fields)
    for where, allowed in unknown_fields(kind, plain):
        raise found.wrong(where, f"is not known here. Known: {', '.join(sorted(allowed))}.")
    for name in REQUIRED.get(kind, ()):
        if not fields.get(name):
            raise found.wrong(name, "is missing: it tells one from another.")
    if kind is KEYS and fields.get("tenant_id") and not fields.get("workspace_id"):
        raise found.wrong("workspace_id", "is missing: name the tenant's workspace too.")
    try:
        kind.body.model_validate(plain)
    except ValidationError as error:
        problem = invalid(error.errors())
        raise found.wrong(problem.param or "", problem.message) from None
    spelled = _SPELLED.get(kind)
    return found if spelled is None else replace(found, fields={**fields, spelled: _spelled(found, spelled)})


def _spelled(each: Declared, field: str) -> str:
    """In the spelling in which the server keeps it, and by which one is told from another."""
    try:
        return str(READERS[field](each.fields[field]))
    except InvalidRequest as error:
        raise each.wrong(field, error.message) from None


def _complete(kind: Kind, written: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is listed below an integration is meant to be on."""
    if kind is not INTEGRATIONS:
        return written
    return {
        name: [{"enabled": True, **each} if isinstance(each, dict) else each for each in value]
        if name in ("models", "workspaces") and isinstance(value, list)
        else value
        for name, value in written.items()
    }


def _resolved(value: Any, where: str, place: str, source: Source, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict) and set(value) == {"env"} and _secret(where, place):
        name = value["env"]
        if not isinstance(name, str) or not environment.get(name):
            raise source.wrong(f"{place}.{where}", f"the environment variable {str(name)[:100]} is not set.")
        return Secret(name, environment[name])
    if isinstance(value, dict):
        return {name: _resolved(each, f"{where}.{name}", place, source, environment) for name, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, f"{where}[{index}]", place, source, environment) for index, each in enumerate(value)]
    if isinstance(value, str) and (_secret(where, place) or without_secrets(value) != value):
        raise source.wrong(f"{place}.{where}", _WAY_OUT)
    return value


def _secret(where: str, place: str) -> bool:
    return place.startswith(INTEGRATIONS.section) and (where == "key" or _HEADERS.fullmatch(where) is not None)
