"""Step 6: one attempt at one target: the credential on, the body as the dialogue says, sent to the vetted origin."""

from functools import lru_cache
from typing import Final, Protocol

from headgate.base.abreast import abreast
from headgate.base.errors import HeadgateError, TimedOut, UpstreamFailed
from headgate.dataplane.call import Call
from headgate.dataplane.exchange import Exchange
from headgate.routing.plan import Target
from headgate.upstream.client import Answer, Deadlines, Failed, Prepared, Request, prepare
from headgate.upstream.origin import Origin
from headgate.wire.dialogue import Outgoing

FORWARDED = {
    "anthropic_messages": (b"anthropic-version", b"anthropic-beta"),
    "anthropic_count_tokens": (b"anthropic-version", b"anthropic-beta"),
    "openai_chat": (b"openai-beta",),
    "openai_responses": (b"openai-beta",),
}
"""The client's own headers that belong to its format; they go up where the provider speaks the same one."""

Headers = list[tuple[bytes, bytes]]
ID: Final = b"x-headgate-request-id"
MOST_PREPARED: Final = 16
"""Requests that a target keeps prepared: a form has a boundary of its own in its headers each time."""


class Sender(Protocol):
    """`upstream.client.Client`, as far as an attempt needs it."""

    async def send(self, request: Request, deadlines: Deadlines) -> Answer: ...


async def attempt(
    exchange: Exchange, call: Call, target: Target, outgoing: Outgoing, sender: Sender, within: Deadlines
) -> Answer:
    """The provider's answer, its body still to be read. Raises `UpstreamFailed` or `TimedOut`."""
    assert call.head is not None
    await abreast()
    request = _request(exchange, call, target, outgoing)
    call.attempts += 1
    call.sent = True
    try:
        answer = await sender.send(request, deadlines_for(exchange, within))
    except Failed as failed:
        call.sent = failed.sent
        raise failure(failed, target) from failed
    if call.turn is not None:
        call.turn.answered(answer.status, answer.headers)
    return answer


def own_request(target: Target, outgoing: Outgoing, request_id: str) -> Request:
    """One that the gateway makes by itself, about what it was asked in this request."""
    assert outgoing.path is not None
    headers = {
        b"content-type": b"application/json",
        b"user-agent": b"headgate",
        ID: request_id.encode(),
        **dict(target.standard_headers),
        **dict(target.own_headers),
    }
    origin = _origin(target.provider.base_url)
    return Request(
        origin=origin, method=outgoing.method, path=outgoing.path, headers=list(headers.items()), body=outgoing.body
    )


def failure(failed: Failed, target: Target) -> HeadgateError:
    """What the client is told: the provider's slug and what went wrong, never an address."""
    name = f"`@{target.provider.slug}`"
    match failed.kind:
        case "timeout_first_byte" | "timeout_idle" | "timeout_total":
            return TimedOut(f"The provider {name} did not answer in time.", code="upstream_timeout")
        case "connect" | "tls" | "timeout_connect" | "blocked_address":
            return UpstreamFailed(f"The provider {name} could not be reached.", code="upstream_unreachable")
        case "pool_full":
            return UpstreamFailed(f"All connections to the provider {name} are in use.", code="upstream_busy")
        case "reset" | "protocol" | "too_large":
            return UpstreamFailed(f"The provider {name} broke off its answer.", code="upstream_broke_off")


def deadlines_for(exchange: Exchange, default: Deadlines) -> Deadlines:
    """The defaults, or less where the client asked for less (`x-portkey-request-timeout`, milliseconds)."""
    asked = exchange.header(b"x-portkey-request-timeout")
    if asked is None or not asked.isdigit() or not 0 < (seconds := int(asked[:9]) / 1000) < default.total_s:
        return default
    return Deadlines(
        connect_s=min(default.connect_s, seconds),
        first_byte_s=min(default.first_byte_s, seconds),
        idle_s=min(default.idle_s, seconds),
        total_s=seconds,
    )


def _request(exchange: Exchange, call: Call, target: Target, outgoing: Outgoing) -> Request:
    """What is sent. All but the call's id and its body is the same for most calls to a target, and written once."""
    theirs = _theirs(exchange, call, target)
    if theirs or outgoing.path is not None:
        return Request(*_begin(call, target, outgoing, theirs), outgoing.body)
    own, name = (ID, call.request_id.encode()), (outgoing.method, outgoing.headers, call.head.stream)
    known: tuple[Origin, bytes, bytes, Prepared] | None = target.prepared.get(name)
    if known is None:
        origin, method, path, headers = _begin(call, target, outgoing, theirs)
        if own not in headers or len(target.prepared) >= MOST_PREPARED:  # an administrator gave it another id
            return Request(origin, method, path, headers, outgoing.body)
        headers.remove(own)
        known = target.prepared[name] = origin, method, path, prepare(origin, method, path, headers)
    origin, method, path, prepared = known
    return Request(origin, method, path, (own,), outgoing.body, prepared)


def _begin(call: Call, target: Target, outgoing: Outgoing, theirs: Headers) -> tuple[Origin, bytes, bytes, Headers]:
    path = outgoing.path or target.spec.path(target.format, target.model, stream=call.head.stream).encode()
    headers = _headers(call.request_id, target, outgoing, theirs)
    return _origin(target.provider.base_url), outgoing.method, path, headers


def _theirs(exchange: Exchange, call: Call, target: Target) -> Headers:
    """The client's own headers that go up."""
    if target.format != call.endpoint.format:
        return []
    names = FORWARDED.get(target.format, ())
    return [(name, value) for name in names if (value := exchange.header(name)) is not None]


def _headers(request_id: str, target: Target, outgoing: Outgoing, theirs: Headers) -> Headers:
    """One of each name. The format's defaults give way to the client's own; the credential gives way to nothing."""
    headers = dict(outgoing.headers)
    headers.setdefault(b"content-type", b"application/json")
    headers[b"user-agent"] = b"headgate"
    headers[ID] = request_id.encode()
    headers.update(target.standard_headers)
    headers.update(theirs)
    headers.update(target.own_headers)
    return list(headers.items())


@lru_cache(maxsize=4096)
def _origin(base_url: str) -> Origin:
    return Origin.parse(base_url)
