"""A client that leaves, at every phase of a call, politely (FIN) and not (RST): the books stay right."""

import time
from collections.abc import Set

import pytest

from tests.support.customer import Customer
from tests.support.raw import Connection, connected, request

CHAT = "/v1/chat/completions"


def asking(customer: Customer, model: str, **more: object) -> bytes:
    messages = [{"role": "user", "content": "hello there"}]
    return request(CHAT, customer.key, {"model": model, "max_tokens": 100, "messages": messages, **more})


def leave(connection: Connection, how: str) -> None:
    if how == "RST":
        connection.reset()
    else:
        connection.socket.close()


def recorded(customer: Customer, known: Set[str], count: int = 1) -> list[tuple[str, str]]:
    """(outcome, usage source) of the records that were not there before, once there are so many."""
    deadline = time.monotonic() + 15
    while True:
        records = customer.gateway.records()
        new = [records[request_id] for request_id in records.keys() - known]
        if len(new) >= count or time.monotonic() > deadline:
            return [(record["outcome"], record["usage_source"]) for record in new]
        time.sleep(0.05)  # why: another process writes what is looked at


@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize("phase", ["before a byte", "in the head", "in the body"])
def test_gone_before_the_call_is_whole(customer: Customer, how: str, phase: str) -> None:
    """Nothing was asked, nothing goes upstream, nothing is recorded."""
    before = len(customer.gateway.upstream_calls())
    whole = asking(customer, "@openai/sim-fast")
    sent = {"before a byte": b"", "in the head": whole[:60], "in the body": whole[:-20]}[phase]
    with connected(customer.gateway.url) as connection:
        connection.send(sent)
        leave(connection, how)
    assert customer.gateway.chat(customer.key, "@openai/sim-fast").status == 200
    assert len(customer.gateway.upstream_calls()) == before + 1


@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize("model", ["@openai/sim-trickle", "@anthropic/sim-trickle", "@gemini/sim-trickle"])
def test_gone_while_the_provider_works(customer: Customer, how: str, model: str) -> None:
    """The call is at the provider, which bills it: one record, with the provider's figures.

    The provider answers byte by byte, so that it is not done before the client has left.
    """
    known = customer.gateway.records().keys()
    before = len(customer.gateway.upstream_calls())
    with connected(customer.gateway.url) as connection:
        connection.send(asking(customer, model))
        arrive(customer, before)
        leave(connection, how)
    assert recorded(customer, known) == [("client_gone", "provider")]


@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize("model", ["@openai/sim-slow", "@anthropic/sim-slow", "@gemini/sim-slow"])
def test_gone_in_the_middle_of_a_stream(customer: Customer, how: str, model: str) -> None:
    """The provider is read on for its usage: the record is exact, as if the client had stayed."""
    known = customer.gateway.records().keys()
    with connected(customer.gateway.url) as connection:
        connection.send(asking(customer, model, stream=True))
        connection.first_bytes()
        leave(connection, how)
    assert recorded(customer, known) == [("client_gone", "provider")]


@pytest.mark.parametrize("model", ["@openai/sim-stall-mid-stream", "@anthropic/sim-stall-mid-stream"])
def test_gone_while_the_provider_has_fallen_silent(customer: Customer, model: str) -> None:
    """Nobody waits for ever: after the bound the call is closed and counted as an estimate."""
    known = customer.gateway.records().keys()
    with connected(customer.gateway.url) as connection:
        connection.send(asking(customer, model, stream=True))
        connection.first_bytes()
        leave(connection, "FIN")
    assert recorded(customer, known) == [("client_gone", "estimated")]


def test_gone_before_the_first_byte_of_a_stream(customer: Customer) -> None:
    """The provider has the call and says nothing: closed after the bound, counted at what it can have cost."""
    known = customer.gateway.records().keys()
    before = len(customer.gateway.upstream_calls())
    with connected(customer.gateway.url) as connection:
        connection.send(asking(customer, "@openai/sim-stall", stream=True))
        arrive(customer, before)
        leave(connection, "FIN")
    assert recorded(customer, known) == [("client_gone", "estimated")]


def test_half_closed_is_not_gone(customer: Customer) -> None:
    """A client that has said all it will say (`shutdown(SHUT_WR)`) may still want its answer, or not: one record."""
    known = customer.gateway.records().keys()
    with connected(customer.gateway.url) as connection:
        connection.send(asking(customer, "@openai/sim-fast"))
        connection.socket.shutdown(1)
        connection.closed_within(10)
    assert len(recorded(customer, known)) == 1


def test_many_clients_gone_at_once(customer: Customer) -> None:
    """Forty streams left in the middle: forty records, and the gateway serves on."""
    known = customer.gateway.records().keys()
    for number in range(40):
        with connected(customer.gateway.url) as connection:
            connection.send(asking(customer, "@openai/sim-slow", stream=True))
            connection.first_bytes()
            leave(connection, "RST" if number % 2 else "FIN")
    assert len(recorded(customer, known, 40)) == 40


def arrive(customer: Customer, before: int) -> None:
    """Wait until the provider has the call."""
    deadline = time.monotonic() + 10
    while len(customer.gateway.upstream_calls()) <= before:
        assert time.monotonic() < deadline, "the call never reached the provider"
        time.sleep(0.01)  # why: another process writes what is looked at
