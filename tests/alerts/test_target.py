"""Which URLs a webhook may have, and where they lead."""

import pytest

from headgate.alerts.target import checked_url
from headgate.base.errors import InvalidRequest
from headgate.upstream.base_url import target_of
from headgate.upstream.guard import Guard

PUBLIC = Guard(allow_private=False)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://hooks.example.com", b"hooks.example.com", b"/"),
        ("https://Hooks.Example.com/a/b", b"hooks.example.com", b"/a/b"),
        ("https://hooks.example.com/a/", b"hooks.example.com", b"/a/"),
        ("https://hooks.example.com:8443/a?token=x%20y&b=/c", b"hooks.example.com:8443", b"/a?token=x%20y&b=/c"),
        ("https://hooks.example.com?token=1", b"hooks.example.com", b"/?token=1"),
    ],
)
def test_a_url_is_kept_with_path_and_query(url: str, authority: bytes, path: bytes) -> None:
    """To the last slash: receivers tell `/a` from `/a/`."""
    kept = checked_url(url, PUBLIC, plain=False)
    origin, found = target_of(kept)
    assert (origin.authority, origin.base_path, found) == (authority, b"", path)
    assert checked_url(kept, PUBLIC, plain=False) == kept


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:169.254.169.254]/",
        "https://metadata.google.internal/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com/#fragment",
        "https://hooks.example.com/?a#b",
        "https://hooks.example.com/?a b",
        "https://hooks.example.com/?a\r\nx: y",
        "https://hooks.example.com/../a",
        "https://hooks.example.com:6379/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "hooks.example.com",
        "",
    ],
)
def test_a_url_that_nothing_may_be_sent_to_is_refused(url: str) -> None:
    """When it is written down, by its name; what a host name resolves to is vetted at every attempt."""
    with pytest.raises(InvalidRequest) as refused:
        checked_url(url, PUBLIC, plain=False)
    assert refused.value.param == "url"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/", "http://hooks.internal/"])
def test_where_private_addresses_are_allowed_so_is_http(url: str) -> None:
    """For receivers beside the gateway; link-local addresses stay out."""
    assert checked_url(url, Guard(), plain=True).startswith("http://")
    with pytest.raises(InvalidRequest):
        checked_url("http://169.254.169.254/", Guard(), plain=True)
