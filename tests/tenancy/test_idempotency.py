"""A request that is sent again is carried out once, and answered as the first time."""

import asyncio
from dataclasses import replace

import pytest
from msgspec import structs

from headgate.base.errors import Conflict, Unprocessable
from headgate.ledger.record import Outcome
from headgate.storage.database import Database
from headgate.storage.people_tables import idempotency_key as table
from headgate.storage.usage_rows import insert
from headgate.tenancy.idempotency import ANSWERED_WITHIN_S, KEEP_S, LONGEST_REQUEST_S, Idempotency
from headgate.tenancy.reseal import reseal
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.administration import World, customer_key
from tests.support.asgi import Reply
from tests.support.ledger import record

KEYS = "/v1/api-keys/workspace/service"
BODY = {"name": "k", "workspace_id": "default", "scopes": ["completions.write"]}


async def _post(
    world: World, body: object = BODY, *, path: str = KEYS, once: str = "a", key: str | None = None
) -> Reply:
    return await world.call("POST", path, body, key=key, headers={"Idempotency-Key": once})


def _with(world: World, vault: Vault) -> Idempotency:
    return Idempotency(world.transactions, vault, world.clock)


async def test_the_first_answer_comes_again(world: World) -> None:
    """To the letter, the key that is shown once included; and there is one key, not two."""
    first, again = await _post(world), await _post(world)
    assert (again.status, again.body) == (first.status, first.body) == (200, first.body)
    assert ("x-headgate-replayed" in first.headers, again.headers["x-headgate-replayed"]) == (False, "true")
    assert first.headers["x-headgate-request-id"] != again.headers["x-headgate-request-id"]
    assert (await world.ok("GET", "/v1/api-keys"))["total"] == 2
    other = await _post(world, once="b")
    assert other.json["id"] != first.json["id"]


async def test_both_spellings_of_the_path_are_one_request(world: World) -> None:
    """A client may be configured with or without `/v1`."""
    first = await _post(world)
    assert (await _post(world, path=KEYS.removeprefix("/v1"))).body == first.body


async def test_another_request_with_the_same_key_is_refused(world: World) -> None:
    """Another body, another path or query: 422, and nothing is done."""
    await _post(world)
    for path, body in ((KEYS, BODY | {"name": "x"}), ("/v1/admin/workspaces", BODY), (f"{KEYS}?a=b", BODY)):
        reply = await _post(world, body, path=path)
        assert (reply.status, reply.json["error"]["param"]) == (422, "Idempotency-Key")
    assert (await world.ok("GET", "/v1/api-keys"))["total"] == 2


async def test_each_caller_has_keys_of_his_own(world: World) -> None:
    """What one used is free for another, who learns nothing of it."""
    scopes = ["workspace_service_api_keys.create", "logs.view"]
    _, other = await customer_key(world, "default", scopes=scopes)
    body = BODY | {"scopes": ["logs.view"]}
    mine, theirs = await _post(world, body), await _post(world, body, key=other)
    assert theirs.status == 200
    assert mine.json["id"] != theirs.json["id"]


async def test_a_refusal_is_an_answer(world: World) -> None:
    """It comes again although the reason is gone; a body that could not be read was never asked."""
    taken = {"name": "Default"}
    first = await _post(world, taken, path="/v1/admin/workspaces")
    assert first.status == 409
    again = await _post(world, taken, path="/v1/admin/workspaces")
    assert (again.status, again.body) == (409, first.body)
    assert (await _post(world, b"{", once="b")).status == 400
    assert (await _post(world, once="b")).status == 200


async def test_after_a_day_the_key_is_free(world: World) -> None:
    """And not before."""
    first = await _post(world)
    world.clock.move(KEEP_S - 1)
    assert (await _post(world)).body == first.body
    world.clock.move(2)
    assert (await _post(world)).json["id"] != first.json["id"]


async def test_together_they_are_carried_out_once(world: World) -> None:
    """Of requests that come at the same moment one makes the key; the others are told to wait, or get its answer."""
    replies = await asyncio.gather(*(_post(world) for _ in range(6)))
    assert {reply.status for reply in replies} <= {200, 409}
    assert len({reply.body for reply in replies if reply.status == 200}) == 1
    assert all(reply.headers["retry-after"] == "1" for reply in replies if reply.status == 409)
    assert (await world.ok("GET", "/v1/api-keys"))["total"] == 2


@pytest.mark.parametrize("once", ["", "a b", "x" * 256])
async def test_a_key_that_is_none_is_refused(world: World, once: str) -> None:
    """400, naming the header."""
    reply = await _post(world, once=once)
    assert (reply.status, reply.json["error"]["param"]) == (400, "Idempotency-Key")


async def test_no_answer_is_kept_for_who_may_not_ask(world: World) -> None:
    """A customer's key cannot fill the table."""
    _, customer = await customer_key(world, "default")
    assert (await _post(world, key=customer)).status == 403
    assert (await _post(world, path="/v1/admin/workspaces", key=customer)).status == 403
    kept = await world.transactions.read(lambda stores: stores.answers.kept(world.root.organization_id))
    assert kept == []


async def test_what_is_kept_is_sealed(world: World, database: Database) -> None:
    """The key in the answer does not stand in the database, and neither does the idempotency key."""
    made = (await _post(world, once="my-idempotency-key")).json["key"]
    (row,) = await database.read(lambda connection: connection.execute(table.select()).all())
    assert not [part for part in (made.split("_")[2], "my-idempotency-key") if part.encode() in bytes(str(row), "utf8")]
    assert made.encode() not in row.sealed_body


async def test_answers_survive_a_rotation_of_the_master_key(world: World) -> None:
    """They are sealed anew with everything else."""
    old, new = MasterKey.generate(), MasterKey.generate()
    idempotency = _with(world, Vault([old]))
    claim, _ = await idempotency.claim(world.root, "a", b"request")
    await idempotency.keep(claim, 200, b"answer")
    await world.transactions.write(lambda stores: reseal(stores, Vault([new, old]), world.clock))
    _, answer = await _with(world, Vault([new])).claim(world.root, "a", b"request")
    assert answer == b"answer"


async def test_a_process_that_dies_before_the_change_leaves_the_key_to_be_tried_again(world: World) -> None:
    """As soon as it is certain that nobody is at it any more; until then the request is under way."""
    idempotency = world.services.idempotency
    await idempotency.claim(world.root, "a", b"request")
    with pytest.raises(Conflict) as under_way:
        await idempotency.claim(world.root, "a", b"request")
    assert under_way.value.retry_after == 1
    with pytest.raises(Unprocessable):
        await idempotency.claim(world.root, "a", b"another")
    world.clock.move(LONGEST_REQUEST_S)
    claim, answer = await idempotency.claim(world.root, "a", b"request")
    assert (claim.created_at, answer) == (world.clock.now(), None)


async def test_a_process_that_dies_after_the_change_never_has_it_done_twice(world: World) -> None:
    """The change says in its own transaction that it was made: whatever comes after, the key is not free."""
    idempotency = world.services.idempotency
    claim, _ = await idempotency.claim(world.root, "a", b"request")
    await world.services.workspaces.create(replace(world.root, claim=claim), {"name": "Made"})
    await idempotency.release(claim)
    with pytest.raises(Conflict) as under_way:
        await idempotency.claim(world.root, "a", b"request")
    assert under_way.value.retry_after == 1
    world.clock.move(ANSWERED_WITHIN_S)
    with pytest.raises(Conflict) as lost:
        await idempotency.claim(world.root, "a", b"request")
    assert "carried out" in lost.value.message


async def test_a_call_that_may_have_been_charged_is_known_by_its_record(world: World) -> None:
    """The record of any of its targets will do; none of an error, of the cache, or of another call does."""
    idempotency = world.services.idempotency
    organization = world.root.organization_id
    written = {
        "req_first": record("req_first"),
        "req_later": record("req_later-3"),
        "req_error": structs.replace(record("req_error"), outcome=Outcome.PROVIDER_ERROR),
        "req_given": structs.replace(record("req_given"), cache_status="HIT"),
        "req_oth": record("req_other-2"),
    }
    await world.database.write(lambda connection: insert(connection, list(written.values())))
    for request_id in written:
        await idempotency.claim_call(organization, "key", request_id, b"request", request_id)
    await idempotency.settle_abandoned()
    outcomes = {}
    for request_id in written:
        try:
            claim, answer = await idempotency.claim_call(organization, "key", request_id, b"request", "req_again")
            outcomes[request_id] = (claim.request_id, answer)
        except Conflict as refused:
            outcomes[request_id] = (str(refused.code), None)
    lost, again = ("answer_not_kept", None), ("req_again", None)
    expected = {"req_first": lost, "req_later": lost, "req_error": again, "req_given": again, "req_oth": again}
    assert outcomes == expected


async def test_a_change_that_fails_leaves_the_key_free(world: World) -> None:
    """What was undone was not carried out."""
    idempotency = world.services.idempotency
    claim, _ = await idempotency.claim(world.root, "a", b"request")
    with pytest.raises(Conflict):
        await world.services.workspaces.create(replace(world.root, claim=claim), {"name": "Default"})
    await idempotency.release(claim)
    again, answer = await idempotency.claim(world.root, "a", b"request")
    assert (again.carried_out, answer) == (False, None)
