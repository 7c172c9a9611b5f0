"""Whether a provider takes a stored credential: one small request that costs nothing, and what came of it in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from headgate.catalog.provider import ProviderSpec
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.integration import Integration
from headgate.tenancy.integration_access import visible_integration
from headgate.tenancy.integrations import KnownProviders
from headgate.tenancy.principal import Principal
from headgate.tenancy.provider_policy import ProviderPolicies
from headgate.tenancy.vault import Vault

_REFUSED: Final = (400, 401, 403)
"""A request for a list has nothing else in it that could be wrong; Gemini says 400."""
_LISTS: Final = ("data", "models")


class CheckOutcome(StrEnum):
    """What is known of the credential now."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    """The provider answered something else."""
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, or why there is none. `body` is empty where it was too large to be read."""

    status: int = 0
    body: bytes = b""
    trouble: str = ""
    took_ms: int = 0


class Fetch(Protocol):
    """One GET to a vetted address, bounded in time and size. Implemented in `upstream.fetch`."""

    async def __call__(self, base_url: str, path: str, headers: Mapping[str, str]) -> Fetched: ...


@dataclass(frozen=True, slots=True)
class CredentialCheck:
    """`message` says it in a sentence. `status` is the provider's, 0 without an answer; `models` how many it lists.
    Nothing of the provider's own words is in it: some repeat the credential in their errors."""

    outcome: CheckOutcome
    message: str
    status: int = 0
    models: int | None = None
    took_ms: int = 0


class CredentialCheckService:
    """For whoever may change the integration; the audit log keeps who tried it and what came of it."""

    def __init__(self, administration: Administration, vault: Vault, providers: KnownProviders, fetch: Fetch) -> None:
        self._administration = administration
        self._policies = ProviderPolicies(vault, providers)
        self._providers = providers
        self._fetch = fetch

    async def check(self, principal: Principal, reference: str) -> CredentialCheck:
        """Asks the provider now. Raises `NotFound` and `Forbidden` as a change of the integration would."""
        integration = await self._administration.transactions.read(
            lambda stores: visible_integration(stores, principal, reference, "update")
        )
        spec = self._providers.provider(integration.kind)
        found = await self._asked(integration, spec)

        def work(change: Change) -> None:
            body = {"slug": integration.slug, "outcome": found.outcome, "status": found.status}
            change.record("test", f"integration:{integration.id}", body | {"workspace_id": integration.workspace_id})

        await self._administration.change(principal, work)
        return found

    async def _asked(self, integration: Integration, spec: ProviderSpec | None) -> CredentialCheck:
        if spec is None or not spec.check:
            name = spec.name if spec is not None else integration.kind
            words = f"{name} has nothing to ask that would try a credential for nothing. The first call will tell."
            return CredentialCheck(CheckOutcome.UNCLEAR, words)
        base_url, secret, own = self._policies.reach(integration)
        headers = dict(spec.headers) | {name.lower(): value for name, value in own}
        if text := secret.reveal():
            headers[spec.auth.header] = spec.auth.value(text)
        return _told(spec.name, await self._fetch(base_url, spec.check, headers), with_key=bool(text))


def _told(name: str, found: Fetched, *, with_key: bool) -> CredentialCheck:
    status = found.status
    if not status:
        return CredentialCheck(CheckOutcome.UNREACHABLE, f"{name} could not be reached: {found.trouble}.")
    if status in _REFUSED:
        what = "refused the credential" if with_key else "wants a credential, and none is stored"
        return CredentialCheck(CheckOutcome.REFUSED, f"{name} {what} ({status}).", status, took_ms=found.took_ms)
    if 200 <= status < 300:
        models = _listed(found.body)
        lists = "" if models is None else f" It lists {models:,} models."
        took = "took the credential" if with_key else "answered without a credential"
        return CredentialCheck(CheckOutcome.ACCEPTED, f"{name} {took}.{lists}", status, models, found.took_ms)
    if status == 429:
        words = f"{name} answered 429: too many requests, or nothing left on the account. Try again in a minute."
    elif status >= 500:
        words = f"{name} has trouble of its own ({status}). Try again in a minute."
    else:
        words = f"{name} answered {status} to the question for its models, which says nothing of the credential."
    return CredentialCheck(CheckOutcome.UNCLEAR, words, status, took_ms=found.took_ms)


def _listed(body: bytes) -> int | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        found = next((found[name] for name in _LISTS if isinstance(found.get(name), list)), None)
    return len(found) if isinstance(found, list) else None
