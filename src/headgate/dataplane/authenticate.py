"""Step 1: which key a call carries.

SDKs put it into different headers, and the Portkey SDK sends a placeholder beside it. The first header present in the
order below is the credential; a second, different Headgate key in the same call is refused, because nobody can say
which of the two was meant.
"""

from collections.abc import Sequence
from typing import Protocol

from headgate.base.errors import Forbidden, InvalidRequest, Unauthenticated
from headgate.dataplane.exchange import Exchange
from headgate.tenancy import keys
from headgate.tenancy.policy import Policy

HEADERS = (b"x-portkey-api-key", b"x-api-key", b"authorization", b"x-goog-api-key")
PLACEHOLDER = "OPENAI_API_KEY"
"""What the Portkey SDK's vendored OpenAI client sends as its bearer token: never a credential."""


class Directory(Protocol):
    """Policies by key; see `tenancy.directory`."""

    def lookup(self, key: str) -> Policy | None:
        """From memory; None if it must be loaded."""
        ...

    async def load(self, key: str) -> Policy:
        """Raises `Unauthenticated`."""
        ...

    async def acting(self, policy: Policy, tenant: str) -> Policy:
        """That of the same key while it acts for a tenant. Raises `NotFound`."""
        ...


async def authenticate(exchange: Exchange, directory: Directory, scopes: Sequence[str]) -> Policy:
    """The caller's policy. Raises `Unauthenticated`, `InvalidRequest` (two keys) and `Forbidden` (no such scope, or a
    suspended tenant)."""
    key = credential(exchange)
    policy = directory.lookup(key) or await directory.load(key)
    require_admitted(policy, scopes)
    return policy


def require_admitted(policy: Policy, scopes: Sequence[str]) -> None:
    """Raises `Forbidden` without any of the scopes, and for a suspended tenant."""
    if policy.scopes.isdisjoint(scopes):
        policy.require(scopes[-1])
    if policy.tenant is not None:
        refuse_suspended(policy)


def refuse_suspended(policy: Policy) -> None:
    """Raises `Forbidden` for every call of a suspended tenant."""
    if policy.tenant is not None and policy.tenant.suspended:
        raise Forbidden(
            f"The tenant `{policy.tenant.slug}` is suspended: none of its calls is taken. Ask your administrator.",
            code="tenant_suspended",
        )


def credential(exchange: Exchange) -> str:
    """The key this call carries, unverified."""
    found: list[str] = []
    for header in HEADERS:
        if exchange.header(header) is not None:
            found += filter(None, [_value(header, raw) for raw in exchange.headers_all(header)])
    if not found:
        raise Unauthenticated(
            "No API key. Send it as `Authorization: Bearer <key>`, `x-api-key` or `x-portkey-api-key`."
        )
    first = found[0]
    if len(found) > 1 and keys.parse(first) is not None:
        for other in found[1:]:
            if other != first and keys.parse(other) is not None:
                raise InvalidRequest("This request carries two different API keys. Send one.", code="two_api_keys")
    return first


def _value(header: bytes, raw: bytes) -> str:
    """The credential in a header; empty where there is none."""
    text = raw.decode("latin-1").strip()
    if header == b"authorization":
        text = text[7:].lstrip() if text[:7].lower() == "bearer " else ""
    return "" if text == PLACEHOLDER else text
