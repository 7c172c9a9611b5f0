"""`kill -9` in the middle of a call with an idempotency key: the client, which saw nothing, sends it again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import crashing
from tests.support.crashing import Point
from tests.support.gateway import simulated_providers
from tests.support.http import Answer
from tests.support.mortal import Mortal, mortal
from tests.support.processes import HEADGATE


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Mortal]:
    with mortal(tmp_path, {}) as made:
        yield made


def send(lives: Mortal, key: str) -> Answer:
    body = {"model": "@openai/sim-fast", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}
    return lives.gateway.post("/v1/chat/completions", body, key, {"Idempotency-Key": "the-same"})


@pytest.mark.parametrize(
    ("point", "charged"),
    [(Point.AFTER_HOLD, False), (Point.BEFORE_SEND, True), (Point.BEFORE_SETTLE, True), (Point.AFTER_SETTLE, True)],
)
def test_what_a_crash_left_unknown_is_never_charged_twice(lives: Mortal, point: Point, charged: bool) -> None:
    """Where it may have been sent, the same key asks nobody again: 409 that names the record which the restart made of
    it. Where it cannot have been, it is carried out now, and once."""
    lives.start(("-m", crashing.__name__, point, "1"))
    gateway = lives.gateway
    workspace = gateway.workspace("tried")
    for provider in simulated_providers(gateway.simulator):
        gateway.integrate(provider, [workspace])
    key = gateway.key(workspace)
    with pytest.raises(ConnectionError):
        send(lives, key)
    lives.dead()
    lives.start(HEADGATE)
    lives.quiet()
    before, billed = lives.gateway.records(), len(lives.gateway.upstream_calls())
    assert len(before) == (1 if charged else 0)
    answers = [send(lives, key) for _ in range(2)]
    if charged:
        assert [answer.status for answer in answers] == [409, 409]
        assert answers[0].json["error"]["details"]["request_id"] in before
        assert len(lives.gateway.upstream_calls()) == billed
        return
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].body == answers[1].body
    assert len(lives.gateway.upstream_calls()) == billed + 1
