"""One call, nine steps. Read this first.

A step that cannot go on raises a `HeadgateError`; the caller of `Pipeline.serve` tells it to the client in the client's
own format. Whatever happens, a cancellation included, what was held is settled exactly once on the way out.
"""

from contextlib import closing

from headgate.base.clock import Clock
from headgate.base.errors import HeadgateError
from headgate.catalog.catalog import Catalog
from headgate.dataplane import admit
from headgate.dataplane.attempt import Sender, attempt
from headgate.dataplane.authenticate import Directory, authenticate
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.converse import converse
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.limits import Limits
from headgate.dataplane.metadata import metadata_of
from headgate.dataplane.models import list_models
from headgate.dataplane.provider_hint import provider_hint
from headgate.dataplane.relay import relay
from headgate.dataplane.settle import Settler
from headgate.routing.resolve import resolve
from headgate.wire.document import Document
from headgate.wire.registry import FORMATS


class Pipeline:
    """The steps, with all they need handed in."""

    def __init__(
        self, directory: Directory, catalog: Catalog, books: Books, sender: Sender, clock: Clock, limits: Limits
    ) -> None:
        self._directory = directory
        self._catalog = catalog
        self._books = books
        self._sender = sender
        self._clock = clock
        self._limits = limits
        self._settler = Settler(books, clock)

    async def serve(self, exchange: Exchange, call: Call) -> None:
        """Answer one call. Raises `HeadgateError` only while nothing has gone to the client."""
        limits, endpoint = self._limits, call.endpoint
        # 1 authenticate: whose call is it
        call.policy = policy = await authenticate(exchange, self._directory, endpoint.scopes)
        if endpoint.method == "GET":
            return await list_models(exchange, call, policy, self._catalog)
        # 2 read: the request, once
        call.document = Document(await exchange.body(limits.body, limits.body_within_s))
        call.head = head = FORMATS[endpoint.format].head(call.document)
        # 3 resolve and route: metadata, and where it goes
        call.metadata = metadata_of(exchange, head, policy)
        hint = provider_hint(exchange)
        call.plan = resolve(policy, self._catalog, head.model, hint, endpoint.format, call.started_at)
        target = call.plan.first
        # 4 bound: the most it can cost
        call.bound = bound = admit.bound_call(call, limits.default_max_output)
        call.dialogue = converse(call, target, bound)
        outgoing = call.dialogue.request()
        # 5 hold: every allowance at once, on disk before anything is sent
        admit.hold(call, self._books, self._settler)
        try:
            await self._books.durable()
            # 6 attempt: until the first byte has gone to the client
            answer = await attempt(exchange, call, target, outgoing, self._sender, limits.deadlines)
            with closing(answer):
                # 7 relay: bytes as they come, usage watched
                await relay(exchange, call, answer, self._settler, limits, self._clock)
        except HeadgateError as error:
            call.fail(error)
            raise
        finally:
            # 8 settle and 9 record: once, whatever happened
            self._settler.settle(call)
