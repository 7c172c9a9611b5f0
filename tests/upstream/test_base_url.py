"""Base URLs of integrations: kept in one spelling, refused where no call would ever go."""

import pytest

from headgate.base.errors import InvalidRequest
from headgate.upstream.base_url import kept_base_url
from headgate.upstream.guard import Guard

FIELD = "configurations.custom_host"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://API.OpenAI.com:443/v1/", "https://api.openai.com/v1"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("https://[2001:DB8::1]/v1", "https://[2001:db8::1]/v1"),
    ],
)
def test_it_is_kept_in_one_spelling(given: str, kept: str) -> None:
    """Two spellings of one place are one place, also for the rule that another host needs the credential again."""
    assert kept_base_url(given, FIELD, Guard()) == kept
    assert kept_base_url(kept, FIELD, Guard()) == kept


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "metadata.google.internal", "[fe80::1]", "[::ffff:169.254.169.254]"]
)
def test_a_metadata_service_is_refused_when_it_is_set(host: str) -> None:
    """Not only at the first call: whoever sets it learns at once, by the field's name."""
    with pytest.raises(InvalidRequest) as caught:
        kept_base_url(f"http://{host}/latest", FIELD, Guard())
    assert caught.value.param == FIELD


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "[::1]", "192.168.0.1"])
def test_a_private_address_needs_the_setting(host: str) -> None:
    """`allow_private_upstreams` decides, for addresses that are written out."""
    assert kept_base_url(f"http://{host}/v1", FIELD, Guard(allow_private=True))
    with pytest.raises(InvalidRequest, match="not allowed by the settings"):
        kept_base_url(f"http://{host}/v1", FIELD, Guard(allow_private=False))
