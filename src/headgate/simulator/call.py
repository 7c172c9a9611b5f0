"""One POST: authenticated, read, answered, delivered and billed."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec

from headgate.base import usage as meters
from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.ids import RandomBytes, object_id
from headgate.base.tasks import Tasks
from headgate.simulator.answer import Counts
from headgate.simulator.ask import Ask, Json, ProviderError
from headgate.simulator.behaviours import REDIRECTED, Behaviour
from headgate.simulator.compose import compose
from headgate.simulator.deliveries import MAX_STALL_S, CallerGone, HangUp, Line, Pacing
from headgate.simulator.dialects.base import Dialect, Frame, Reply, to_json
from headgate.simulator.form import fields, is_form
from headgate.simulator.journal import Billed, Intent, Journal
from headgate.simulator.prompt_cache import PromptCache
from headgate.simulator.shelf import Shelf

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]

REQUEST_ID_HEADER = "x-headgate-request-id"
# Providers send these beside the answer; a gateway has to keep them to itself.
_PROVIDER_HEADERS: RawHeaders = [(b"openai-organization", b"sim-org"), (b"set-cookie", b"__sim=1; HttpOnly")]


@dataclass(frozen=True, slots=True)
class Desk:
    """What all calls of a simulator share. `credential` None: any value will do, but there must be one."""

    journal: Journal
    cache: PromptCache
    behaviours: Mapping[str, Behaviour]
    pacing: Pacing
    credential: str | None
    clock: Clock
    random_bytes: RandomBytes
    tasks: Tasks
    shelf: Shelf


@dataclass(frozen=True, slots=True)
class Request:
    """One POST as it came in. `target` is the part of the path that names the model, where the path does."""

    dialect: Dialect
    target: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw_headers: RawHeaders
    body: bytes


class Call:
    """Answers one request. `run` raises `HangUp` where the connection is to be closed in mid-answer."""

    def __init__(self, desk: Desk, request: Request, receive: Receive, send: Send) -> None:
        self._desk = desk
        self._request = request
        self._receive = receive
        self._send = send
        self._id = object_id("sim", desk.random_bytes)
        self._started = desk.clock.now()

    async def run(self) -> None:
        model = ""
        try:
            ask = self._read()
            model = ask.model
            behaviour = self._behaviour(model)
        except ProviderError as error:
            await self._refuse(error, model)
            return
        await self._answer(ask, behaviour)

    def _read(self) -> Ask:
        request = self._request
        dialect = request.dialect
        credential = dialect.credential(request.headers, request.query)
        if credential is None or self._desk.credential not in (None, credential):
            raise ProviderError(401, "Incorrect API key provided: it is missing or not the one this simulator takes.")
        kind = request.headers.get("content-type", "")
        try:
            body = fields(kind, request.body) if is_form(kind) else msgspec.json.decode(request.body)
        except (msgspec.DecodeError, RecursionError):
            raise ProviderError(400, "We could not parse the JSON body of your request.") from None
        if not isinstance(body, dict):
            raise ProviderError(400, "The body of your request is not a JSON object.")
        return dialect.ask(body, request.headers, request.target)

    def _behaviour(self, model: str) -> Behaviour:
        behaviour = self._desk.behaviours.get(model)
        if behaviour is None:
            raise ProviderError(404, f"The model `{model}` does not exist or you do not have access to it.")
        if self._request.path == REDIRECTED:
            raise ProviderError(404, "Nobody should come here: a gateway does not follow redirects.")
        if behaviour.refuses is not None and (error := behaviour.refuses()) is not None:
            raise error
        return behaviour

    # -- answers ----------------------------------------------------------------------------------------------------

    async def _answer(self, ask: Ask, behaviour: Behaviour) -> None:
        request = self._request
        text = to_json(request.headers).decode() if behaviour.reflects else None
        answer = compose(ask, request.dialect, behaviour, self._desk.cache, self._credential_hash(), text)
        told = behaviour.tells(answer.counts)
        free = request.dialect.name == "anthropic_count_tokens"
        bill: Counts = {} if free or not behaviour.answers else answer.counts
        self._begin(ask.model, ask.stream, bill)
        reply = Reply(
            id=self._id.removeprefix("sim_"),
            created=self._started // NANOS_PER_SECOND,
            ask=ask,
            answer=answer,
            told=told,
            delta_bytes=behaviour.style.delta_bytes,
        )
        if self._request.dialect.name == "openai_responses":
            self._desk.shelf.keep(msgspec.json.decode(self._request.dialect.plain(reply)))
        gone = self._desk.tasks.start(self._hung_up(), "watch the caller")
        error_event = self._request.dialect.error_event(_BROKEN) if ask.stream else None
        line = Line(self._write, gone, self._desk.pacing, error_event)
        try:
            await self._deliver(reply, behaviour, line)
        except CallerGone:
            pass
        finally:
            gone.cancel()
            billed = bill if line.finished or not ask.stream else _so_far(bill, line)
            readable = line.finished and behaviour.spoils is None
            honest = readable and told == bill and (ask.tells_usage or not ask.stream)
            self._end(200, billed, line.bytes_sent, told=honest, finished=line.finished)

    async def _deliver(self, reply: Reply, behaviour: Behaviour, line: Line) -> None:
        if not behaviour.answers:
            await line.pause(MAX_STALL_S)
            raise HangUp
        dialect = self._request.dialect
        frames: Iterable[Frame]
        frames = dialect.frames(reply) if reply.ask.stream else [Frame(dialect.plain(reply), last=True)]
        if behaviour.spoils is not None:
            frames = behaviour.spoils(list(frames))
        headers: RawHeaders = [*_PROVIDER_HEADERS, (b"x-request-id", self._id.encode())]
        if behaviour.reflects:
            headers.extend((b"x-reflected-" + name, value) for name, value in self._request.raw_headers)
        if isinstance(frames, list) and not reply.ask.stream:
            headers.append((b"content-length", b"%d" % sum(len(frame.data) for frame in frames)))
        kind = dialect.stream_type if reply.ask.stream else reply.ask.kind
        headers.append((b"content-type", kind.encode()))
        if line.pacing.first:
            await line.pause(line.pacing.first)
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        if behaviour.hangs_up:
            raise HangUp
        await behaviour.delivers(frames, line)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def _hung_up(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    # -- errors -----------------------------------------------------------------------------------------------------

    async def _refuse(self, error: ProviderError, model: str) -> None:
        self._begin(model, False, {})
        body = self._request.dialect.error(error)
        headers: RawHeaders = [*_PROVIDER_HEADERS, (b"x-request-id", self._id.encode())]
        if error.retry_after is not None:
            headers.append((b"retry-after", b"%d" % error.retry_after))
        if error.location is not None:
            headers.append((b"location", error.location.encode()))
        await send_whole(self._send, error.status, body, headers)
        self._end(error.status, {}, len(body), told=True, finished=True)

    # -- books ------------------------------------------------------------------------------------------------------

    def _credential_hash(self) -> str:
        credential = self._request.dialect.credential(self._request.headers, self._request.query)
        return hashlib.sha256(credential.encode()).hexdigest()[:16] if credential else ""

    def _request_id(self) -> str:
        return self._request.headers.get(REQUEST_ID_HEADER, "")

    def _begin(self, model: str, stream: bool, expected: Counts) -> None:
        redirected = self._request.path == REDIRECTED
        self._desk.journal.append(
            Intent(
                id=self._id,
                request_id=self._request_id(),
                dialect="redirected" if redirected else self._request.dialect.name,
                model=model,
                stream=stream,
                credential=self._credential_hash(),
                started=self._started,
                expected=expected,
            )
        )

    def _end(self, status: int, usage: Counts, bytes_sent: int, *, told: bool, finished: bool) -> None:
        self._desk.journal.append(
            Billed(
                id=self._id,
                request_id=self._request_id(),
                status=status,
                usage=usage,
                told=told,
                bytes_sent=bytes_sent,
                finished=finished,
                ended=self._desk.clock.now(),
            )
        )


_BROKEN = ProviderError(500, "The server had an error while it was answering.")


def _so_far(bill: Counts, line: Line) -> Counts:
    """What an answer that broke off is billed: the prompt, and what was made of the rest. Nothing if nothing began."""
    if not line.bytes_sent:
        return {meter: count for meter, count in bill.items() if meter in meters.INPUT_METERS}
    made = {}
    for meter, count in bill.items():
        part = count if meter in meters.INPUT_METERS else min(count, line.delivered[meter])
        if part:
            made[meter] = part
    return made


async def send_whole(send: Send, status: int, body: bytes, headers: RawHeaders | None = None) -> None:
    """An answer that is JSON and short."""
    fixed: RawHeaders = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *(headers or ())]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def plain_error(message: str) -> Json:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
