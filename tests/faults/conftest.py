"""A running gateway that loses patience quickly, and a check after each test that its books are still right."""

import time
from collections.abc import Iterator

import pytest

from tests.support.customer import Customer
from tests.support.gateway import Gateway, simulated_providers, started

IMPATIENT = {
    "HEADGATE_HEAD_TIMEOUT_S": "1",
    "HEADGATE_BODY_TIMEOUT_S": "1",
    "HEADGATE_READ_AFTER_HANGUP_S": "3",
    "HEADGATE_FIRST_BYTE_TIMEOUT_S": "2",
    "HEADGATE_IDLE_TIMEOUT_S": "2",
    "HEADGATE_HEARTBEAT_S": "0.4",
}
SETTLED_WITHIN_S = 15.0


@pytest.fixture(scope="session")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    with started(tmp_path_factory.mktemp("faults"), IMPATIENT) as gateway:
        workspace = gateway.workspace("faults")
        for provider in simulated_providers(gateway.simulator):
            gateway.integrate(provider, [workspace])
        yield Customer(gateway, workspace, gateway.key(workspace))


@pytest.fixture
def customer(fragile: Customer) -> Iterator[Customer]:
    """The customer; after the test the gateway must be alive and both books must agree, call by call."""
    yield fragile
    assert fragile.gateway.process.poll() is None, "the gateway has died"
    assert fragile.gateway.chat(fragile.key, "@openai/sim-fast").status == 200
    assert_books_agree(fragile.gateway)


def assert_books_agree(gateway: Gateway) -> None:
    """Every call that reached the provider has one usage record, of at least what was billed; nothing else has one."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while (faults := book_faults(gateway)) and time.monotonic() < deadline:
        time.sleep(0.1)  # why: two other processes write what is looked at
    assert not faults, "\n".join(faults)


def book_faults(gateway: Gateway) -> list[str]:
    """What is wrong between the simulator's journal and the usage records, a line each."""
    bills, records = gateway.bills(), gateway.records()
    faults = [
        f"{one}: billed {bill.usage}, never recorded"
        for one, bill in bills.items()
        if one not in records and bill.usage  # what was refused may have been answered by another
    ]
    faults += [f"{one}: recorded, never sent" for one in records.keys() - bills.keys()]
    for one in bills.keys() & records.keys():
        bill, record = bills[one], records[one]
        used = {meter: count for meter, count in record["usage"].items() if count}
        if len(billed := [call for call in bill.calls if call.usage]) > 1:
            faults.append(f"{one}: billed {len(billed)} times")
        if record["usage_source"] == "provider" and used != bill.usage:
            faults.append(f"{one}: billed {bill.usage}, recorded {used}")
        if any(used.get(meter, 0) < count for meter, count in bill.usage.items()):
            faults.append(f"{one}: billed {bill.usage}, estimated at only {used}")
    return faults
