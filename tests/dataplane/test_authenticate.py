"""Which key a call carries."""

import random

import pytest

from headgate.base.errors import Forbidden, InvalidRequest, Unauthenticated
from headgate.dataplane.authenticate import authenticate, credential
from headgate.tenancy import keys
from headgate.tenancy.policy import Policy
from tests.support.policies import HeadersOnly, policy

ONE, TWO = (keys.mint(b"pepper" * 6, random.Random(seed).randbytes).text for seed in (1, 2))


def carried(*headers: tuple[str, str]) -> str:
    return credential(HeadersOnly([(name.encode(), value.encode()) for name, value in headers]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-portkey-api-key", ONE),
        ("x-api-key", ONE),
        ("authorization", f"Bearer {ONE}"),
        ("authorization", f"bearer  {ONE} "),
        ("x-goog-api-key", ONE),
    ],
)
def test_each_sdks_header_is_read(name: str, value: str) -> None:
    """OpenAI, Anthropic, Portkey and Gemini clients each have their own."""
    assert carried((name, value)) == ONE


def test_the_placeholder_of_the_portkey_sdk_is_never_a_credential() -> None:
    """Its vendored OpenAI client sends `Bearer OPENAI_API_KEY` beside the real key."""
    assert carried(("authorization", "Bearer OPENAI_API_KEY"), ("x-portkey-api-key", ONE)) == ONE
    with pytest.raises(Unauthenticated):
        carried(("authorization", "Bearer OPENAI_API_KEY"))


def test_the_first_header_in_the_documented_order_wins_over_foreign_credentials() -> None:
    """A provider's own key in a later header is not looked at, and never sent anywhere."""
    assert carried(("authorization", "Bearer sk-provider"), ("x-portkey-api-key", ONE)) == ONE


def test_two_different_keys_are_refused_and_the_same_twice_is_fine() -> None:
    """One identity, or 400."""
    with pytest.raises(InvalidRequest):
        carried(("x-api-key", ONE), ("authorization", f"Bearer {TWO}"))
    assert carried(("x-api-key", ONE), ("authorization", f"Bearer {ONE}")) == ONE


@pytest.mark.parametrize("value", ["", "Basic abc", "Bearer", "Bearer "])
def test_no_key_is_unauthenticated(value: str) -> None:
    """401, and the sentence says which headers are read."""
    with pytest.raises(Unauthenticated, match="x-api-key"):
        carried(("authorization", value))


class OneKey:
    """A directory that must load before it knows."""

    def __init__(self, known: Policy) -> None:
        self._known = known

    def lookup(self, key: str) -> Policy | None:
        return None

    async def load(self, key: str) -> Policy:
        if key != ONE:
            raise Unauthenticated("no")
        return self._known


async def test_a_key_without_the_scope_is_forbidden_and_any_listed_scope_is_enough() -> None:
    """403 naming the scope; `GET /v1/models` takes either of its two."""
    exchange = HeadersOnly([(b"x-api-key", ONE.encode())])
    known = OneKey(policy(scopes=("logs.view",)))
    with pytest.raises(Forbidden) as refused:
        await authenticate(exchange, known, ("completions.write",))  # type: ignore[arg-type]
    assert refused.value.param == "completions.write"
    found = await authenticate(exchange, OneKey(policy()), ("models.list", "completions.write"))  # type: ignore[arg-type]
    assert found.key_id == "key_1"
