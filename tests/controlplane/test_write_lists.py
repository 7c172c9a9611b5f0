"""Bodies write what they name and nothing else: no client sets an id, an owner, a hash or a moment."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, get_args

from pydantic import BaseModel
from sqlalchemy import Connection, Table, select

from headgate.controlplane.body import SECRET, Body
from headgate.storage.schema import metadata
from tests.support.administration import World
from tests.support.routes import HERE, Route, filled, furnish, routes, sample

FORGED: Final = "forged-0123456789"
INNER: Final = (
    "id",
    "organisation_id",
    "organization_id",
    "created_at",
    "updated_at",
    "last_updated_at",
    "accepted_at",
    "revoked_at",
    "archived_at",
    "usage_reset_at",
    "created_by",
    "invited_by",
    "actor",
    "hash",
    "key_hash",
    "token_hash",
    "previous_hash",
    "masked",
    "masked_key",
    "sealed_key",
    "sealed_secret",
    "sealed_headers",
    "header_names",
    "pepper",
    "status",
    "is_default",
    "version",
    "version_id",
    "level",
    "owner",
    "creation_mode",
    "object",
    "seq",
    "suspended",
    "kind",
    "current_usage",
    "last_reset_at",
)
"""What only Headgate writes."""
WRITTEN: Final[Mapping[str, Mapping[str, str]]] = {
    "NewMember": {"id": "which user"},
    "InvitedWorkspace": {"id": "which workspace"},
    "InvitedTenant": {"id": "which tenant"},
    "NewTenantMember": {"id": "which user"},
    "WorkspaceAccess": {"id": "which workspace"},
    "TenantChange": {"status": "suspends it"},
    "WebhookChange": {"status": "brings it back"},
    "ConfigChange": {"status": "archives it", "is_default": "makes it the default of its workspace"},
}
"""The exceptions, each with what writing it does. A class passes its own on."""
NAMED_LIKE_SECRETS: Final = ("key", "secret", "token", "password", "configurations", "credential")


def bodies() -> Iterator[tuple[Route, type[Body]]]:
    """Every body of every route, those within others too."""
    for route in routes():
        waiting: list[Any] = [route.body] if route.body else []
        while waiting:
            found = waiting.pop()
            if isinstance(found, type) and issubclass(found, BaseModel):
                assert issubclass(found, Body), f"{route}: {found.__name__} must be a controlplane.body.Body"
                yield route, found
                waiting += [each.annotation for each in found.model_fields.values()]
            else:
                waiting += get_args(found)


def written(body: type[Body]) -> set[str]:
    return {name for each in body.__mro__ for name in WRITTEN.get(each.__name__, {})}


def test_no_body_has_a_field_that_only_headgate_writes() -> None:
    """But for the exceptions in the table, each for its reason."""
    found = {
        f"{body.__name__}.{name} ({route}): only Headgate writes that; if not, say why in WRITTEN in this file"
        for route, body in bodies()
        for name in set(INNER) & set(body.model_fields) - written(body)
    }
    assert not found


def test_every_body_ignores_what_it_does_not_know() -> None:
    """It keeps nothing of it, so nothing of it can be passed on."""
    seen = {body for _, body in bodies()}
    assert len(seen) > 30
    assert not {body.__name__ for body in seen if body.model_config.get("extra") not in ("ignore", "forbid")}


def test_every_secret_is_declared_one() -> None:
    """So that the audit log shows only that it was sent."""
    found = {
        f"{body.__name__}.{name} ({route}): Field(..., json_schema_extra=SECRET)"
        for route, body in bodies()
        for name, field in body.model_fields.items()
        if name in NAMED_LIKE_SECRETS and field.json_schema_extra != SECRET
    }
    assert not found


async def test_forged_fields_are_written_nowhere(world: World) -> None:
    """Sent with every body that there is, on creation and on change: no row of any table holds them afterwards."""
    objects = await furnish(world, "mine")
    changed = 0
    for route in routes():
        if route.body is None:
            continue
        forged = {name: FORGED for name in INNER if name not in route.body.model_fields}
        body = sample(route)
        reply = await world.call(route.method, filled(route.path, objects), {**forged, **(body or {})})
        assert reply.status in (200, 404), f"{route}: {reply.status} {reply.body!r} (see BODIES in {HERE})"
        assert FORGED.encode() not in reply.body, route
        changed += reply.status == 200
    assert changed > 20
    for table in metadata.sorted_tables:
        rows = await world.database.read(partial(_rows, table=table))
        assert FORGED not in str(rows), table.name


def _rows(connection: Connection, table: Table) -> list[Any]:
    return list(connection.execute(select(table)))
