"""A provider's error does not carry its credential on."""

import json
from dataclasses import replace

import pytest

from headgate.catalog.catalog import Catalog
from headgate.dataplane.discreet import without_credentials
from headgate.routing.plan import Target
from headgate.routing.resolve import resolve
from headgate.tenancy.policy import Secret
from tests.support.policies import policy, provider

CATALOG = Catalog.load()
HEADER = 'quo"ted\\header'


def target(secret: str) -> Target:
    headers = ("x-own", HEADER), ("x-flag", "on")
    to = replace(provider("o", "openai", headers=headers), secret=Secret(secret))
    return resolve(policy(to), CATALOG, "@o/gpt-4o", None, "openai_chat", 0).first


@pytest.mark.parametrize("secret", ["sk-abcdefgh", "oddly/shaped+credential=", "ünüsual-credential"])
def test_credential_and_own_headers_are_taken_out(secret: str) -> None:
    """As they were sent, and as they are written in JSON; ordinary words stay, short values too."""
    message = f"Wrong key {secret} (Bearer {secret}), x-own {HEADER}; this conversation goes on"
    for ascii_only in (True, False):
        body = json.dumps({"error": {"message": message}}, ensure_ascii=ascii_only).encode()
        told = json.loads(without_credentials(body, target(secret)))["error"]["message"]
        assert told == "Wrong key *** (Bearer ***), x-own ***; this conversation goes on"
    assert without_credentials(message.encode(), target(secret)).count(b"***") == 3


def test_without_a_credential_nothing_is_taken_out() -> None:
    """A provider of one's own network may need none."""
    body = b'{"error": {"message": "no"}}'
    assert without_credentials(body, target("")) == body
