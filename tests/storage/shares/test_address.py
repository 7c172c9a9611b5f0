"""What `redis_url` may say, and what is refused."""

from pathlib import Path

import pytest

from headgate.settings import BadSetting, load
from headgate.storage.shares.address import Kind, RedisAddress
from tests.support.certificates import Authority


def test_one_server() -> None:
    """User and password as they are percent-encoded, the database, and the port Redis has if none is named."""
    found = RedisAddress.parse("redis://head%40gate:p%3Ass%2Fword@redis.example.com/3")
    assert (found.kind, found.hosts) == (Kind.SINGLE, (("redis.example.com", 6379),))
    assert (found.user, found.password, found.database, found.tls) == ("head@gate", "p:ss/word", 3, None)
    assert found.timeout_s == 1.0
    assert "ss/word" not in repr(found)


def test_sentinels() -> None:
    """Several, the name they know the primary by, and who asks them."""
    url = "redis+sentinel://:secret@one:1,[::1],two/primary/2?sentinel_username=asks&sentinel_password=other"
    found = RedisAddress.parse(url)
    assert (found.kind, found.hosts) == (Kind.SENTINEL, (("one", 1), ("::1", 26379), ("two", 26379)))
    assert (found.user, found.password, found.service, found.database) == (None, "secret", "primary", 2)
    assert (found.sentinel_user, found.sentinel_password) == ("asks", "other")


def test_a_cluster() -> None:
    """Some of its nodes; a longer patience."""
    found = RedisAddress.parse("redis+cluster://user:secret@one,two:7000?socket_timeout=2.5")
    assert (found.kind, found.hosts) == (Kind.CLUSTER, (("one", 6379), ("two", 7000)))
    assert found.timeout_s == 2.5


def test_tls(tmp_path: Path) -> None:
    """With the machine's authorities, or with files."""
    assert RedisAddress.parse("rediss://host").tls == {}
    path = str(Authority(tmp_path).issue("host"))
    url = f"rediss+cluster://host?ssl_ca_certs={path}&ssl_certfile={path}&ssl_keyfile={path}"
    assert RedisAddress.parse(url).tls == {"ssl_ca_certs": path, "ssl_certfile": path, "ssl_keyfile": path}


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis+cloud://host", "`redis+cloud` is not a scheme of Redis"),
        ("redis://one,two", "`redis://` names one host"),
        ("redis://host:port", "`host:port` is not a host"),
        ("redis+cluster://one,,two", "`` is not a host"),
        ("redis+sentinel://one,two", "behind the Sentinels stands the name"),
        ("redis://host/name", "`name` is not the number of a database"),
        ("redis+cluster://host/1", "a cluster has one database only"),
        ("redis://host?ssl_ca_certs=ca.pem", "`ssl_ca_certs` is for TLS: let the URL begin with `rediss`"),
        ("rediss://host?ssl_ca_certs=/no/ca.pem", "ssl_ca_certs: there is no file `/no/ca.pem`"),
        (f"rediss://host?ssl_ca_certs={__file__}", "ssl_ca_certs: [X509: NO_CERTIFICATE_OR_CRL_FOUND]"),
        (f"rediss://host?ssl_certfile={__file__}", "`ssl_certfile` and `ssl_keyfile` belong together"),
        ("rediss://host?ssl_cert_reqs=none", "there is no option `ssl_cert_reqs` for `rediss://`"),
        ("redis://host?sentinel_username=me", "there is no option `sentinel_username`"),
        ("redis://host?socket_timeout=soon", "`socket_timeout` is a number of seconds"),
        ("redis://host?socket_timeout=0", "`socket_timeout` is a number of seconds"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(url: str, sentence: str) -> None:
    """And the password is not in the sentence."""
    with pytest.raises(BadSetting) as caught:
        RedisAddress.parse(url.replace("://", "://user:p4ssword@", 1))
    assert caught.value.param == "redis_url"
    assert caught.value.message.startswith(f"redis_url: {sentence}")
    assert "p4ssword" not in caught.value.message


@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster"])
def test_the_setting_takes_these(scheme: str) -> None:
    """Several hosts too; only their form is looked at there."""
    url = f"{scheme}://user:secret@one:6379,two:6379/name"
    database = {"HEADGATE_DATABASE_URL": "postgresql://host/name"}
    assert load({"HEADGATE_REDIS_URL": url, **database}).redis_url == url
    with pytest.raises(BadSetting):
        load({"HEADGATE_REDIS_URL": f"{scheme}://one,two:no-port"})
