"""What limit policies count: the database and the data plane say the same of the same calls, on both engines."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Allowance, Resource
from headgate.ledger.record import UsageRecord
from headgate.storage import usage_rows
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.alert_tables import allowance_use
from headgate.storage.database import Database
from headgate.storage.past_use import past_use
from headgate.storage.policy_records import facts_of_record
from headgate.storage.stores import SqlStores, SqlTransactions
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration
from headgate.tenancy.founding import found
from headgate.tenancy.limit_policies import LimitPolicyService
from headgate.tenancy.limit_policy import LimitKind, LimitPolicy, Sought
from headgate.tenancy.limits import UTC, RateLimit
from headgate.tenancy.page import Page
from headgate.tenancy.principal import Principal
from tests.support.administration import PEPPER
from tests.support.ledger import NOON, ManualClock, record
from tests.tenancy.test_limit_policy import policy

DAY = 86_400 * NANOS_PER_SECOND
METADATA: list[dict[str, str]] = [
    {},
    {"user": "ann"},
    {"user": "Ann", "a.b/c d": "x"},
    {"user": 'a"b\\ü', "tier": "go*"},
]


def made(number: int, **more: Any) -> UsageRecord:
    taken = record(f"req_{number:04}", at=NOON - number, input_tokens=10, output_tokens=2, cost=100)
    fields = {name: getattr(taken, name) for name in UsageRecord.__struct_fields__}
    return UsageRecord(**{**fields, "organization_id": "org", **more})


def records() -> list[UsageRecord]:
    kinds = product(("ws", "other"), (None, "tnt"), ("openai", "Openai"), ("m", "gpt_4%o"), METADATA)
    return [
        made(
            number,
            workspace_id=workspace,
            tenant_id=tenant,
            provider=provider,
            model=model,
            metadata=metadata,
            config=("", "pc-1", "pc-2")[number % 3],
            prompt=("", "pp-1")[number % 2],
            endpoint=("/v1/completions", "/v1/chat/completions", "/v1/images/edits")[number % 3],
        )
        for number, (workspace, tenant, provider, model, metadata) in enumerate(kinds)
    ]


async def used(database: Database, allowance: Allowance) -> int:
    return sum(amount for _, amount in await database.read(lambda connection: past_use(connection, allowance, NOON)))


POLICIES = [
    policy(),
    policy(workspace_id="ws"),
    policy({"key": "model", "value": "@openai/*"}, group_by=("tenant_id",)),
    policy({"key": "model", "value": ["@openai/gpt_4%*", "@Openai/m"]}, group_by=("provider", "model")),
    policy({"key": "model", "value": "@openai/m", "excludes": True}),
    policy({"key": "tenant_id", "value": "tnt", "excludes": True}, group_by=("metadata.user",)),
    policy({"key": "metadata.user", "value": ["a*", "zoe"]}, group_by=("metadata.user", "workspace_id")),
    policy({"key": "config", "value": "pc-1", "excludes": True}, group_by=("config", "prompt")),
    policy({"key": "prompt", "value": "pp-*"}, group_by=("config",)),
    policy({"key": "endpoint_type", "value": ["completions", "images/*"]}, group_by=("endpoint_type",)),
    policy({"key": "endpoint_type", "value": "chat/completions", "excludes": True}),
    policy({"key": "metadata.tier", "value": "x", "excludes": True}, group_by=("metadata.a.b/c d",)),
    policy({"key": "metadata.user", "value": "*"}, group_by=("metadata.tier", "api_key", "organisation_id")),
]


async def test_policies_are_found_by_what_they_limit(database: Database) -> None:
    """By resource and unit, on both engines."""
    administration = Administration(SqlTransactions(database), ManualClock())
    await found(administration, keys.mint(PEPPER))
    rate: dict[str, Any] = {"limit_kind": LimitKind.RATE, "usage_limits": ()}
    made = [
        policy(id="cost"),
        policy(id="rpm", **rate, rate_limits=(RateLimit(Resource.TOKENS, "rpm", 5),)),
        policy(id="rpd", **rate, rate_limits=(RateLimit(Resource.TOKENS, "rpd", 5),)),
    ]

    def work(stores: SqlStores) -> list[list[str]]:
        [root] = stores.organizations.all()
        for each in made:
            stores.limit_policies.add(replace(each, organization_id=root.id))
        sought = [
            (LimitKind.USAGE, Sought(resource=Resource.COST)),
            (LimitKind.USAGE, Sought(resource=Resource.TOKENS)),
            (LimitKind.RATE, Sought(resource=Resource.TOKENS, unit="rpd")),
        ]
        return [
            [each.id for each in stores.limit_policies.find(root.id, kind, Page(), what)[0]] for kind, what in sought
        ]

    assert await database.write(lambda connection: work(SqlStores(connection))) == [["cost"], [], ["rpd"]]


@pytest.mark.parametrize("limits", POLICIES, ids=range(len(POLICIES)))
async def test_the_database_counts_what_the_data_plane_counts(database: Database, limits: LimitPolicy) -> None:
    """For every group, whatever the values are; and a rate's window the same."""
    written = records()
    await database.write(lambda connection: usage_rows.insert(connection, written))
    expected: dict[Any, int] = {}
    for each in written:
        if (values := limits.group_of(facts_of_record(each))) is not None:
            expected[values] = expected.get(values, 0) + each.cost
    assert expected
    for values, cost in expected.items():
        assert await used(database, limits.allowance(values, UTC)) == cost
    requests = LimitPolicy(
        id="r",
        organization_id="org",
        name="r",
        limit_kind=LimitKind.RATE,
        rate_limits=(RateLimit(Resource.REQUESTS, "rpm", 5),),
        created_at=0,
        updated_at=0,
    )
    assert await used(database, requests.allowance((), UTC)) == len(written)


async def test_sums_are_kept_with_the_records(database: Database) -> None:
    """Also in a period that began long after the policy was made, where nobody looks through the records."""
    clock = ManualClock(NOON - 90 * DAY)
    administration = Administration(SqlTransactions(database), clock)
    await found(administration, keys.mint(PEPPER))
    organizations = await database.read(lambda connection: SqlStores(connection).organizations.all())
    organization = organizations[0].id
    fields = {"name": "p", "group_by": [{"key": "metadata.user"}], "credit_limit": 1, "periodic_reset": "daily"}
    service = LimitPolicyService(administration)
    limits = await service.create(Principal.operator(organization), LimitKind.USAGE, fields)
    rows = AlertedRows(clock)
    calls = [made(number, organization_id=organization, metadata={"user": user}) for number, user in enumerate("abaca")]
    await database.write(lambda connection: rows.insert(connection, calls[:2]))
    await database.write(lambda connection: rows.insert(connection, calls))
    kept = await database.read(lambda c: {row.allowance_id: row.settled for row in c.execute(allowance_use.select())})
    ids = {user: limits.allowance((user,), UTC).id for user in "abc"}
    assert kept == {ids["a"]: 300, ids["b"]: 100, ids["c"]: 100}
    for user, cost in (("a", 300), ("b", 100), ("d", 0)):
        assert await used(database, limits.allowance((user,), UTC)) == cost
