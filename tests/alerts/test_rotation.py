"""Webhooks under a new master key."""

from headgate.storage.stores import SqlStores
from headgate.tenancy.reseal import reseal
from headgate.tenancy.vault import MasterKey, Vault
from headgate.tenancy.webhook_secret import secrets_of
from tests.support.alerting import Alerting


async def test_secrets_come_along_when_the_master_key_is_rotated(alerts: Alerting) -> None:
    """The current secret and the one on its way out: both open under the new master key alone, and are the same."""
    made = await alerts.webhook("http://127.0.0.1:8999/")
    rotated = await alerts.world.ok("PUT", f"/v1/admin/webhooks/{made['id']}", {"rotate_secret": True})
    new = MasterKey.generate()
    both = Vault([new, alerts.master_key])
    count = await alerts.database.write(lambda connection: reseal(SqlStores(connection), both, alerts.clock))
    webhook = await alerts.world.services.webhooks.get(alerts.world.root, made["id"])
    assert count == 2
    assert secrets_of(webhook, Vault([new]), alerts.clock.now()) == [rotated["secret"], made["secret"]]
