"""One call, nine steps. Read this first.

A step that cannot go on raises a `HeadgateError`; the caller of `Pipeline.serve` tells it to the client in the client's
own format. Whatever happens, a cancellation included, what was held is settled exactly once on the way out.
"""

from functools import partial
from random import SystemRandom
from typing import Final

from headgate.base.clock import Clock
from headgate.base.errors import HeadgateError
from headgate.base.header_lines import header_pairs
from headgate.catalog.catalog import Catalog
from headgate.dataplane import admit
from headgate.dataplane.acting import NO_BODY, acting
from headgate.dataplane.attempt import Sender, attempt
from headgate.dataplane.authenticate import Directory, authenticate
from headgate.dataplane.body_log import Copy, copy_nothing
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.downgrade import Downgrader, Tell, tell_nobody
from headgate.dataplane.endpoints import EXPLAIN, LIMITS, PROMPT
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.explain import Explainer
from headgate.dataplane.groups import Groups
from headgate.dataplane.headers import cost_line
from headgate.dataplane.journey import Means, travel
from headgate.dataplane.kept import Kept
from headgate.dataplane.kept_calls import KeptCalls
from headgate.dataplane.limits import Limits
from headgate.dataplane.metadata import metadata_of
from headgate.dataplane.models import list_models
from headgate.dataplane.once import HEADER as IDEMPOTENCY_KEY
from headgate.dataplane.once import Once
from headgate.dataplane.own_limits import list_limits
from headgate.dataplane.preparation import Preparation
from headgate.dataplane.prompts import from_prompt
from headgate.dataplane.recall import Cache
from headgate.dataplane.relay import Relay
from headgate.dataplane.room import Room
from headgate.dataplane.routes import Routes
from headgate.dataplane.settle import Settler
from headgate.dataplane.standing import standing_lines
from headgate.dataplane.turns import Turns
from headgate.dataplane.waiting import Waiting
from headgate.dataplane.watch import Watch
from headgate.routing.balancer import Balancer, Chance
from headgate.routing.complexity import classifier
from headgate.routing.configs import Configs
from headgate.routing.health import Health
from headgate.routing.retries import Retries
from headgate.routing.router import Router
from headgate.wire.document import Document
from headgate.wire.form import Form
from headgate.wire.registry import FORMATS

CHANCE: Final = SystemRandom().random


class Pipeline:
    """The steps, with all they need handed in."""

    def __init__(
        self,
        directory: Directory,
        catalog: Catalog,
        books: Books,
        groups: Groups,
        sender: Sender,
        clock: Clock,
        limits: Limits,
        tell: Tell = tell_nobody,
        chance: Chance = CHANCE,
        copy: Copy = copy_nothing,
        cache: Cache | None = None,
        once: Once | None = None,
        kept: Kept | None = None,
        health: Health | None = None,
    ) -> None:
        waiting = Waiting()
        self._copy = copy
        self._once = once
        self._directory = directory
        self._catalog = catalog
        self._books = books
        self._groups = groups
        self._sender = sender
        self._clock = clock
        self._limits = limits
        self._settler = Settler(books, clock, waiting)
        router, health = Router(catalog), health or Health(clock)
        self._routes = Routes(router, Configs(router, Balancer(health, clock, chance)), classifier())
        downgrader = Downgrader(router, groups, books, limits, tell)
        self._preparation = Preparation(catalog, groups, downgrader, books, limits, kept)
        self._room = Room(books, self._settler, waiting, downgrader)
        self._standing = partial(standing_lines, books=books, clock=clock)
        self._relay = Relay(self._settler, self._standing, clock, limits)
        self._kept = kept
        self._kept_calls = None
        if kept is not None:
            self._kept_calls = KeptCalls(
                kept, directory, catalog, groups, books, self._settler, self._room, self._relay, sender, limits
            )
        watch = Watch(health, clock, limits)
        self.turns = Turns(clock)
        """At providers whose capacity is shared."""
        self._explainer = Explainer(directory, catalog, self._routes, groups, downgrader, books, watch, limits)
        self._means = Means(
            preparation=self._preparation,
            books=books,
            settler=self._settler,
            room=self._room,
            relay=self._relay,
            sender=sender,
            watch=watch,
            turns=self.turns,
            retries=Retries(clock, chance),
            clock=clock,
            limits=limits,
            cache=cache,
        )

    async def serve(self, exchange: Exchange, call: Call) -> None:
        """Answer one call. Raises `HeadgateError` only while nothing has gone to the client."""
        limits, endpoint = self._limits, call.endpoint
        try:
            # 1 authenticate: whose call is it
            call.policy = policy = call.known or await authenticate(exchange, self._directory, endpoint.scopes)
            call.allowances = policy.allowances
            if endpoint.aside:
                return await self._aside(exchange, call)
            # 2 read: the request, once
            body = await exchange.body(limits.body, limits.body_within_s)
            call.document = Form(body, exchange.header(b"content-type")) if endpoint.form else Document(body)
            if endpoint is PROMPT:
                call.document = from_prompt(call, exchange.path)
            if policy.keeps_bodies:
                exchange = self._copy(exchange, call)
            call.head = head = FORMATS[endpoint.format].head(call.document)
            # 3 resolve and route: for whom, metadata, and where it goes
            policy = await acting(exchange, call, head, self._directory)
            call.metadata = metadata_of(exchange, head, policy)
            if self._kept is not None:
                self._kept.watch(call)
            if self._once is not None and exchange.header(IDEMPOTENCY_KEY) is not None:
                return await self._once.answer(exchange, call, self._settler, self._answer)
            await self._answer(exchange, call)
        except HeadgateError as error:
            call.fail(error)
            paid = self._settler.settle(call)
            told = cost_line(paid.cost) if paid is not None and paid.cost and paid.priced else b""
            call.standing = header_pairs(self._standing(call) + told)
            raise
        finally:
            # 8 settle and 9 record: once, whatever happened
            self._settler.settle(call)

    async def _answer(self, exchange: Exchange, call: Call) -> None:
        """The steps from where it goes. Raises as `serve` does."""
        if (option := self._routes.of(exchange, call)) is not None:
            await travel(self._means, exchange, call, option)  # the same steps, target by target
            return
        # 4 bound: the most it can cost; this step, 6 and 7 begin `abreast` of the other calls of this moment
        bounds = await self._preparation.of(call)
        if (busy := self.turns.refusal(call)) is not None:
            raise busy
        # 5 hold: every allowance at once, on disk before anything is sent
        if denied := admit.hold(call, self._books, self._settler):
            await self._room.make(exchange, call, denied, bounds)
        await self._books.durable()
        # 6 attempt: in its turn, until the first byte has gone to the client
        within = self._limits.deadlines
        if call.target.provider.capacity is not None:
            within = await self.turns.wait(exchange, call, within)
        answer = await attempt(exchange, call, call.target, call.outgoing, self._sender, within)
        try:
            # 7 relay: bytes as they come, usage watched
            await self._relay.answer(exchange, call, answer)
        finally:
            answer.close()

    async def _aside(self, exchange: Exchange, call: Call) -> None:
        """What is no call to a model."""
        if call.endpoint.kept and self._kept_calls is not None:
            await self._kept_calls.serve(exchange, call)
        elif call.endpoint is EXPLAIN:
            await self._explainer.explain(exchange, call)
        else:
            await self._show(exchange, call)

    async def _show(self, exchange: Exchange, call: Call) -> None:
        policy = await acting(exchange, call, NO_BODY, self._directory)
        call.standing = header_pairs(self._standing(call))
        if call.endpoint is LIMITS:
            await list_limits(exchange, call, policy, self._books, await self._groups.of_key(policy))
        else:
            await list_models(exchange, call, policy, self._catalog)
