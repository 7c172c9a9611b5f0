"""The overview of a running gateway: what its calls have learned of providers."""

from tests.console.conftest import text_of
from tests.console.portal.conftest import ADMIN, Place, place, template

__all__ = ["place", "template"]


async def test_a_provider_at_rest_is_seen(place: Place) -> None:
    """As soon as it has asked to be left alone, with its integration and why; before, nothing is said of rest."""
    operator = place.guest()
    assert "at rest" not in text_of(await operator.sign_in(key=ADMIN))
    price = {"pay_as_you_go": {"request_token": {"price": 0.001}, "response_token": {"price": 0.001}}}
    busy = {"slug": "sim-429", "enabled": True, "is_custom": True, "pricing_config": price}
    await place.admin("PUT", "/integrations/openai/models", {"models": [busy]})
    targets = [{"provider": "@openai", "override_params": {"model": each}} for each in ("sim-429", "sim-fast")]
    config = {"strategy": {"mode": "fallback"}, "targets": targets}
    made = await place.admin("POST", "/configs", {"name": "Two", "config": config})
    await place.admin("PUT", f"/api-keys/{place.acme.key_id}", {"defaults": {"config_id": made["slug"]}})
    await place.call(place.acme.key)
    seen = text_of(await operator.get("/console"))
    assert "Providers at rest" in seen
    assert "openai sim-429" in seen
