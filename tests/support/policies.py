"""Policies and exchanges for tests of the data plane's decisions, made by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headgate.ledger.allowance import Allowance
from headgate.tenancy.policy import ModelAccess, Policy, Provider, Secret


def provider(slug: str, kind: str = "openai", models: ModelAccess | None = None, **more: object) -> Provider:
    """A provider of a workspace; every model is allowed unless `models` says otherwise."""
    return Provider(
        slug=slug,
        integration_id=f"int_{slug}",
        kind=kind,
        base_url="https://provider.test/v1",
        secret=Secret("sk-test"),
        models=models or ModelAccess(),
        **more,  # type: ignore[arg-type]
    )


def policy(
    *providers: Provider,
    scopes: Sequence[str] = ("completions.write",),
    metadata: Mapping[str, str] | None = None,
    allowances: tuple[Allowance, ...] = (),
) -> Policy:
    """A key's policy over these providers."""
    return Policy(
        organization_id="org_1",
        workspace_id="ws_1",
        workspace_slug="ws",
        key_id="key_1",
        key_name="a key",
        scopes=frozenset(scopes),
        providers={each.slug: each for each in providers},
        metadata=metadata or {},
        allowances=allowances,
    )


@dataclass
class HeadersOnly:
    """As much of an exchange as reading headers takes."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def header(self, name: bytes) -> bytes | None:
        return next((value for found, value in self.headers if found == name), None)

    def headers_all(self, name: bytes) -> list[bytes]:
        return [value for found, value in self.headers if found == name]
