"""A thousand callers at one budget, over real connections: not a cent above it, and next to nothing of it lost."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from headgate.base.money import NANOS_PER_USD
from tests.support.gateway import Gateway, Provider, started
from tests.support.http import call
from tests.support.mix import Request
from tests.support.money_oracle import Recorded, wrongs
from tests.support.swarm import Seen, send, swarm, told

CENT = NANOS_PER_USD // 100
OUTPUT_NANOS = CENT // 100
"""A hundred tokens of output are a cent; input is free."""
PRICES = {"pay_as_you_go": {"request_token": {"price": 0}, "response_token": {"price": 0.01}}}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with started(tmp_path_factory.mktemp("stampede")) as running:
        yield running


@pytest.fixture(scope="module")
def workspace(gateway: Gateway) -> str:
    made = gateway.workspace("stampede")
    gateway.integrate(Provider("cent", "openai", gateway.simulator + "/v1", ["sim-fast"]), [made])
    model = {"slug": "sim-fast", "enabled": True, "is_custom": True, "pricing_config": PRICES}
    gateway.admin("PUT", "/integrations/cent/models", {"models": [model], "allow_all_models": False})
    return made


def asking(tokens: int, most: int, **more: object) -> Request:
    """For an answer of so many tokens, with room for more."""
    messages = [{"role": "user", "content": f"Say {tokens} tokens, please."}]
    body = {"model": "@cent/sim-fast", "max_tokens": most, "messages": messages, **more}
    return Request("/v1/chat/completions", body, most)


def judged(gateway: Gateway, made: dict[str, Any], log: list[Seen]) -> int:
    """What the key's calls cost by its usage records, which must agree with all other books."""
    for seen in log:
        if seen.status == 200:
            gateway.record(seen.request_id)
    rows = [row for row in gateway.records().values() if row["key_id"] == made["id"]]
    mine = {row["request_id"] for row in rows}
    bills = {name: bill for name, bill in gateway.bills().items() if name in mine or name in told(log).refused}
    found = wrongs(bills, map(Recorded.of_row, rows), told(log), input_nanos=0, output_nanos=OUTPUT_NANOS)
    assert not found, "\n".join(found[:20])
    answer = call("GET", f"{gateway.url}/v1/limits", None, {"authorization": f"Bearer {made['key']}"})
    [budget] = answer.json["data"]
    used: int = sum(row["cost"] for row in rows)
    assert (budget["used"], budget["held"]) == (used, 0)
    return used


async def test_a_dollar_is_a_hundred_cents(gateway: Gateway, workspace: str) -> None:
    """1,000 calls at once, each of which costs exactly the cent it may cost: 100 are let in and cost a dollar."""
    made = gateway.new_key(workspace, usage_limits={"credit_limit": 1})

    async def caller(number: int) -> list[Seen]:
        return [await send(gateway.url, made["key"], asking(100, 100, stream=number % 2 == 0))]

    log = await swarm(1_000, caller)
    statuses = [seen.status for seen in log]
    assert statuses.count(200) == 100
    assert statuses.count(429) + statuses.count(412) == 900
    assert judged(gateway, made, log) == NANOS_PER_USD


async def test_who_comes_back_when_told_finds_room(gateway: Gateway, workspace: str) -> None:
    """Calls that take a tenth of what they may cost use up at least 95 % of a dollar, and never more than all, when
    those who are refused come back after `Retry-After`; who is told that it is spent is told so rightly."""
    made = gateway.new_key(workspace, usage_limits={"credit_limit": 1})

    async def caller(number: int) -> list[Seen]:
        log: list[Seen] = []
        while not log or log[-1].status != 412:
            log.append(await send(gateway.url, made["key"], asking(30 + number, 400, stream=number % 2 == 0)))
            if log[-1].status == 429:
                await asyncio.sleep(int(log[-1].headers["retry-after"]))  # why: a caller that does as it is told
        return log

    log = await swarm(50, caller)
    assert {seen.status for seen in log} == {200, 412, 429}
    assert 95 * CENT <= judged(gateway, made, log) <= 100 * CENT
