"""Calls about what is kept at a provider: shown, listed, deleted, cancelled; and files, that are sent there.

Each goes to the integration that has the object, with the same steps as any call: whoever asks is known, the object is
his, a request is held, sent, relayed and settled. None of it costs anything at the providers.
"""

import asyncio
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs, quote

import msgspec

from headgate.base.errors import InvalidRequest
from headgate.catalog.bound import Bound
from headgate.catalog.catalog import Catalog
from headgate.catalog.price import Cost
from headgate.dataplane import admit
from headgate.dataplane.about import About, id_in
from headgate.dataplane.acting import NO_BODY, acting
from headgate.dataplane.attempt import Sender, attempt
from headgate.dataplane.authenticate import Directory
from headgate.dataplane.batch_lines import bound_of_batch
from headgate.dataplane.batch_results import batch_in
from headgate.dataplane.batches import LineGuards, read_lines
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.endpoints import BATCH_CREATE, FILE_CONTENT, FILE_UPLOAD, Endpoint
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.groups import Groups
from headgate.dataplane.headers import JSON, call_headers
from headgate.dataplane.kept import Kept, provider_of
from headgate.dataplane.kept_guard import shown_again
from headgate.dataplane.limits import Limits
from headgate.dataplane.metadata import metadata_of
from headgate.dataplane.metered import Poured
from headgate.dataplane.provider_hint import provider_hint
from headgate.dataplane.refusal import refusal
from headgate.dataplane.relay import Relay
from headgate.dataplane.room import Room
from headgate.dataplane.settle import Settler
from headgate.routing.plan import Plan, Target
from headgate.routing.resolve import provider_named
from headgate.tenancy.kept_object import KeptObject
from headgate.tenancy.policy import Policy, Provider
from headgate.wire.dialogue import Outgoing
from headgate.wire.document import Document
from headgate.wire.form import Form

NOTHING: Final = Bound(0, 0, {}, Cost(0))
LONGEST_LIST: Final = 10_000
_DEFAULT_LENGTHS: Final = {"file": 10_000, "batch": 20}


class KeptCalls:
    """One per pipeline."""

    def __init__(
        self,
        kept: Kept,
        directory: Directory,
        catalog: Catalog,
        groups: Groups,
        books: Books,
        settler: Settler,
        room: Room,
        relay: Relay,
        sender: Sender,
        limits: Limits,
    ) -> None:
        self._kept = kept
        self._batches = kept.batches
        self._directory = directory
        self._catalog = catalog
        self._groups = groups
        self._books = books
        self._settler = settler
        self._room = room
        self._relay = relay
        self._sender = sender
        self._limits = limits

    async def serve(self, exchange: Exchange, call: Call) -> None:
        """Raises `HeadgateError` only while nothing has gone to the client."""
        call.head, endpoint = NO_BODY, call.endpoint
        if endpoint.form:
            body = await exchange.body(self._limits.body, self._limits.body_within_s)
            call.document = Form(body, exchange.header(b"content-type"))
        policy = await acting(exchange, call, NO_BODY, self._directory)
        call.metadata = metadata_of(exchange, NO_BODY, policy)
        if "{id}" in endpoint.path:
            found = await self._kept.find(policy, endpoint.kept, _identifier(exchange.path))
            await self._about(exchange, call, found)
        elif endpoint is FILE_UPLOAD:
            await self._upload(exchange, call)
        elif endpoint is BATCH_CREATE:
            await self._create_batch(exchange, call)
        else:
            await self._list(exchange, call)

    async def _about(self, exchange: Exchange, call: Call, found: KeptObject) -> None:
        endpoint = call.endpoint
        self._aim(call, provider_of(call.policy, found), found.model)
        path = call.target.spec.path(call.target.format, found.model, stream=False) + _below(endpoint, found.id)
        if exchange.query and endpoint.method == "GET":
            path = f"{path}?{exchange.query}"
        note = partial(self._note_results, call, found) if endpoint.kept == "batch" else None
        about = call.dialogue = About(Outgoing(b"", (), endpoint.method.encode(), path.encode()), note)
        streams = "stream=true" in exchange.query
        if endpoint is FILE_CONTENT or streams:
            call.dialogue = Poured(about, {}, None, None, anything=True)
        if endpoint.kept == "response" and endpoint.method != "DELETE" and call.policy.guardrails is not None:
            call.output_guards = call.policy.guardrails.output
        if call.output_guards:
            call.dialogue = shown_again(call, about, stream=streams)
        await self._go(exchange, call)
        if endpoint.method == "DELETE" and call.status in (200, 404):
            await self._kept.gone(found)
        elif found.document and endpoint.path.endswith("{id}") and about.shown:
            await self._kept.shown(found, about.shown.decode())

    def _note_results(self, call: Call, found: KeptObject, body: bytes) -> None:
        """The files that a batch has made belong to whoever made the batch, who sees whether it has ended."""
        self._batches.seen(found.id, found.integration_id, body)
        for name in batch_in(body).results:
            document = {"id": name, "object": "file", "purpose": "batch_output"}
            self._kept.note(call, "file", name, msgspec.json.encode(document).decode())

    async def _create_batch(self, exchange: Exchange, call: Call) -> None:
        """Charged as held, until it is known what it used: it goes on when the call is over. See `batch_lines` and
        `batch_watch`."""
        call.document = Document(await exchange.body(self._limits.body, self._limits.body_within_s))
        policy = call.policy
        found = await self._kept.find(policy, "file", call.document.string("input_file_id") or "")
        provider = provider_of(policy, found)
        self._aim(call, provider, "")
        guards = LineGuards(policy, call.metadata)
        path = f"{call.target.spec.formats['openai_files']}/{quote(found.id, safe='')}/content".encode()
        content = Outgoing(b"", (), b"GET", path)
        with closing(
            await attempt(exchange, call, call.target, content, self._sender, self._limits.deadlines)
        ) as answer:
            lines = await read_lines(answer, self._limits.answer, call)
        endpoint = call.document.string("endpoint") or ""
        target, format_name, bound = await asyncio.to_thread(
            bound_of_batch, lines, endpoint, policy, self._catalog, provider.slug, call.started_at, guards
        )
        guards.tell(call)
        call.plan = Plan(target.model, (replace(target, format="openai_batches"),), call.plan.allowances)
        path = call.target.spec.path("openai_batches", "", stream=False).encode()

        def note(body: bytes) -> None:
            identifier = id_in(body)
            self._kept.note(call, "batch", identifier, body.decode())
            self._batches.opened(call, identifier, format_name)

        call.dialogue = About(Outgoing(call.document.body, (), b"POST", path), note, unknown=True)
        await self._go(exchange, call, bound)

    async def _upload(self, exchange: Exchange, call: Call) -> None:
        assert isinstance(call.document, Form)
        self._aim(call, self._named(exchange, call.policy), "")
        kind: tuple[bytes, bytes] = (b"content-type", call.document.content_type)
        path = call.target.spec.path(call.target.format, "", stream=False).encode()

        def note(body: bytes) -> None:
            self._kept.note(call, "file", id_in(body), body.decode())

        call.dialogue = About(Outgoing(call.document.body, (kind,), b"POST", path), note)
        await self._go(exchange, call)

    def _named(self, exchange: Exchange, policy: Policy) -> Provider:
        """Where a file is to live. Raises `InvalidRequest` and `NotFound`."""
        if (slug := provider_hint(exchange)) is not None:
            return provider_named(policy, slug)
        able = [each for each in policy.providers.values() if self._speaks(each, "openai_files")]
        if len(able) == 1:
            return able[0]
        listed = ", ".join(f"`@{each.slug}`" for each in able) or "none"
        raise InvalidRequest(
            f"Name the provider of the file in the header `x-portkey-provider`. Those that keep files: {listed}.",
            param="x-portkey-provider",
        )

    def _speaks(self, provider: Provider, api: str) -> bool:
        spec = self._catalog.provider(provider.kind)
        return spec is not None and spec.speaks(api)

    def _aim(self, call: Call, provider: Provider, model: str) -> None:
        """The call goes there. Raises `InvalidRequest` where the provider has no such endpoint."""
        spec, api = self._catalog.provider(provider.kind), call.endpoint.format
        if spec is None or not spec.speaks(api):
            raise InvalidRequest(
                f"The provider `@{provider.slug}` has no endpoint like `{call.endpoint.path}`. Name another one in the "
                "header `x-portkey-provider`.",
                param="x-portkey-provider",
                code="endpoint_not_supported",
            )
        target = Target(provider=provider, spec=spec, model=model, format=api, facts=None, price=None)
        call.plan = Plan(model, (target,), call.policy.allowances + provider.allowances)
        call.told = target.told if model else target.told[1:]

    async def _go(self, exchange: Exchange, call: Call, bound: Bound = NOTHING) -> None:
        """Hold a request, send it, and relay what comes."""
        call.bound = bound
        of_policies = await self._groups.of_call(call) if call.policy.limit_policies else ()
        call.allowances = [*call.plan.allowances, *of_policies]  # a list: the plan is of this call alone
        admit.refuse_unbounded(call, bound)
        call.outgoing = call.dialogue.request()
        if denied := admit.hold(call, self._books, self._settler):
            still = await self._room.borrow(call, denied)
            if still is not None:
                raise refusal(still)
        await self._books.durable()
        answer = await attempt(exchange, call, call.target, call.outgoing, self._sender, self._limits.deadlines)
        with closing(answer):
            await self._relay.answer(exchange, call, answer)

    async def _list(self, exchange: Exchange, call: Call) -> None:
        """From what is known here: the provider's own list has everybody's."""
        query = parse_qs(exchange.query)
        kind = call.endpoint.kept
        documents = [msgspec.json.decode(found.document) for found in await self._kept.listed(call.policy, kind)]
        body = msgspec.json.encode(_page(documents, query, _DEFAULT_LENGTHS[kind]))
        await exchange.respond(200, [JSON, *call_headers(call, b"gateway"), *call.standing], body)


def _page(documents: list[dict[str, Any]], query: dict[str, list[str]], default: int) -> dict[str, Any]:
    """OpenAI's pages: `after` an id, `limit`, `order`, and files of one `purpose`."""
    given = {name: values[-1] for name, values in query.items()}
    if given.get("order") == "asc":
        documents.reverse()
    if "purpose" in given:
        documents = [each for each in documents if each.get("purpose") == given["purpose"]]
    if "after" in given:
        at = next((index for index, each in enumerate(documents) if each.get("id") == given["after"]), None)
        documents = [] if at is None else documents[at + 1 :]
    limit = given.get("limit", str(default))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= LONGEST_LIST):
        raise InvalidRequest(f"`limit` must be an integer from 1 to {LONGEST_LIST}.", param="limit")
    page = documents[: int(limit)]
    ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
    return {"object": "list", "data": page, **ends, "has_more": len(documents) > len(page)}


def _identifier(path: str) -> str:
    return path.removeprefix("/v1").split("/")[2]


def _below(endpoint: Endpoint, identifier: str) -> str:
    """What stands behind the path of the collection."""
    return f"/{quote(identifier, safe='')}{endpoint.path.partition('{id}')[2]}"
