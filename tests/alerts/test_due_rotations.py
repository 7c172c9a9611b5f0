"""A secret that is due to be replaced is told of, once for each time that it is due."""

from headgate.alerts.letter import letter
from headgate.storage import events
from headgate.storage.outbox import MAILED
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.webhook import EventType
from tests.support.administration import PEPPER
from tests.support.alerting import Alerting

DAY_S = 86_400
WEEKLY = {"rotation_period": "weekly"}


async def due(alerts: Alerting) -> list[str]:
    """Names of the keys that were told of."""
    await alerts.dispatcher.turn()
    await alerts.dispatcher.settled()
    return [each["data"]["api_key"]["name"] for each in await alerts.told() if each["type"] == "key.rotation_due"]


async def test_told_once_when_it_is_due(both: Alerting) -> None:
    """Not before, not twice, not of a key that is gone or has no policy; a rotation makes it due again."""
    key = await both.key({"credit_limit": 1}, name="Ada", rotation_policy=WEEKLY)
    gone = await both.key({"credit_limit": 1}, name="Gone", rotation_policy=WEEKLY)
    await both.key({"credit_limit": 1}, name="Never")
    await both.world.ok("DELETE", f"/v1/api-keys/{gone}")
    both.clock.move(7 * DAY_S - 60)
    assert await due(both) == []
    both.clock.move(61)
    assert await due(both) == ["Ada"]
    both.clock.move(DAY_S)
    assert await due(both) == ["Ada"]
    await both.world.ok("POST", f"/v1/api-keys/{key}/rotate")
    both.clock.move(7 * DAY_S + 61)
    assert await due(both) == ["Ada", "Ada"]


async def test_what_is_told_and_written(both: Alerting) -> None:
    """Which key, since when; how to rotate it; no secret. It goes out by letter too."""
    key = await both.key({"credit_limit": 1}, name="Ada", rotation_policy=WEEKLY)
    both.clock.move(8 * DAY_S)
    await due(both)
    (told,) = await both.told()
    assert told["data"]["api_key"]["id"] == key
    assert told["data"]["due_at"].startswith("2027-01-22T08:00:0")
    assert told["data"]["last_rotated_at"] is None
    event = await both.database.read(lambda connection: events.get(connection, told["id"]))
    assert event.type is EventType.ROTATION_DUE
    assert event.type in MAILED
    subject, text = letter(event, Envelope(PEPPER))
    assert "Ada" in subject
    assert f"/v1/api-keys/{key}/rotate" in text
