"""What goes up to a provider, besides the body."""

import asyncio

import pytest

from headgate.catalog.catalog import Catalog
from headgate.dataplane.attempt import ID, _request, deadlines_for
from headgate.dataplane.call import Call
from headgate.dataplane.endpoints import CHAT, MESSAGES, Endpoint
from headgate.routing.resolve import resolve
from headgate.tenancy.policy import Provider
from headgate.upstream.client import Deadlines
from headgate.upstream.request import render_head
from headgate.wire.dialogue import Head, Outgoing
from tests.support.policies import HeadersOnly, policy, provider

CATALOG = Catalog.load()


async def sent(
    to: Provider, endpoint: Endpoint, *headers: tuple[bytes, bytes], own: Outgoing | None = None
) -> dict[bytes, bytes]:
    """The headers of an attempt; none may come twice."""
    task = asyncio.current_task()
    assert task is not None
    call = Call(request_id="req_1", trace_id="t", span_id="", endpoint=endpoint, started_at=0, started=0, task=task)
    call.head = Head(model="some-model")
    target = resolve(policy(to), CATALOG, f"@{to.slug}/some-model", None, endpoint.format, 0).first
    exchange = HeadersOnly(list(headers))
    for call.request_id in ("req_1", "req_2"):  # the second is sent as the first was prepared
        request = _request(exchange, call, target, own or Outgoing(b"{}"))  # type: ignore[arg-type]
        found = dict(request.all_headers)
        assert len(found) == len(request.all_headers)
        assert found[b"x-headgate-request-id"] in (call.request_id.encode(), b"theirs")
        lines = render_head(request).split(b"\r\n")[1:-2]
        told = [(b"host", request.origin.authority), (b"accept-encoding", b"identity"), *found.items()]
        assert lines == [b"%b: %b" % line for line in (*told, (b"content-length", b"2"))]
    return found


async def test_each_provider_gets_its_credential_its_own_way() -> None:
    """Bearer, `x-api-key`, `x-goog-api-key`: the catalog says which."""
    assert (await sent(provider("o", "openai"), CHAT))[b"authorization"] == b"Bearer sk-test"
    assert (await sent(provider("a", "anthropic"), MESSAGES))[b"x-api-key"] == b"sk-test"
    assert (await sent(provider("g", "gemini"), CHAT))[b"x-goog-api-key"] == b"sk-test"


async def test_the_clients_credential_never_goes_up() -> None:
    """Whatever the client sent as its key, the provider sees the integration's only."""
    keys = (b"authorization", b"Bearer hg_secret"), (b"x-api-key", b"hg_secret"), (b"cookie", b"hg_secret")
    for each in (provider("o", "openai"), provider("a", "anthropic")):
        assert b"hg_secret" not in b"".join((await sent(each, MESSAGES, *keys)).values())


async def test_the_clients_own_version_wins_over_the_formats_default() -> None:
    """`anthropic-version` and `anthropic-beta` belong to the format that both sides speak."""
    default = Outgoing(b"{}", ((b"anthropic-version", b"2023-06-01"),))
    to = provider("a", "anthropic")
    assert (await sent(to, MESSAGES, own=default))[b"anthropic-version"] == b"2023-06-01"
    theirs = (b"anthropic-version", b"2024-01-01"), (b"anthropic-beta", b"x")
    found = await sent(to, MESSAGES, *theirs, own=default)
    assert (found[b"anthropic-version"], found[b"anthropic-beta"]) == (b"2024-01-01", b"x")
    assert b"anthropic-beta" not in await sent(provider("o", "openai"), MESSAGES, *theirs)


async def test_headers_an_administrator_set_are_sent_and_cannot_replace_the_credential() -> None:
    """An organization or project header, for example."""
    to = provider("o", "openai", headers=(("OpenAI-Organization", "org-1"), ("Authorization", "Bearer other")))
    found = await sent(to, CHAT)
    assert (found[b"openai-organization"], found[b"authorization"]) == (b"org-1", b"Bearer sk-test")
    assert (await sent(provider("o", "openai", headers=(("X-Headgate-Request-Id", "theirs"),)), CHAT))[ID] == b"theirs"


@pytest.mark.parametrize(
    ("asked", "total"), [(b"3000", 3.0), (b"0", 60.0), (b"x", 60.0), (b"-1", 60.0), (b"90000", 60.0)]
)
def test_a_client_may_ask_for_less_time_never_for_more(asked: bytes, total: float) -> None:
    """`x-portkey-request-timeout` is in milliseconds; what is none, or too much, changes nothing."""
    exchange = HeadersOnly([(b"x-portkey-request-timeout", asked)])
    found = deadlines_for(exchange, Deadlines(connect_s=5, first_byte_s=50, idle_s=50, total_s=60))  # type: ignore[arg-type]
    assert found.total_s == total
    assert found.first_byte_s == min(50, total)
