"""Plans are remembered, and never longer than what they rest on holds."""

import pytest

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import Unauthenticated
from headgate.catalog.catalog import Catalog
from headgate.routing.router import MINUTE, Router
from tests.support.policies import policy, provider

NOW = 30_000_000 * MINUTE


def test_a_plan_is_made_once_a_minute() -> None:
    """The same object, until prices may have changed."""
    router, of = Router(Catalog.load()), policy(provider("p"))
    first = router.route(of, "@p/gpt-4o", None, "openai_chat", NOW)
    assert router.route(of, "@p/gpt-4o", None, "openai_chat", NOW + MINUTE - 1) is first
    assert router.route(of, "@p/gpt-4o", None, "openai_chat", NOW + MINUTE) is not first


def test_a_provider_expires_to_the_nanosecond() -> None:
    """Also within the minute for which its plans would be remembered."""
    end = NOW + 10 * NANOS_PER_SECOND
    router, of = Router(Catalog.load()), policy(provider("p", expires_at=end))
    for at in (NOW - MINUTE, NOW, end - 1):
        assert router.route(of, "@p/gpt-4o", None, "openai_chat", at).first.provider.slug == "p"
    with pytest.raises(Unauthenticated):
        router.route(of, "@p/gpt-4o", None, "openai_chat", end)
