"""What the data plane knows of a tenant, beside its allowances, metadata and admission: those are in the policy."""

from collections.abc import Mapping
from dataclasses import dataclass

from headgate.tenancy.model_names import ModelNames

PER_WHOLE = 1_000_000
"""Shares are in millionths."""


@dataclass(frozen=True, slots=True)
class Downgrade:
    """From `at` (millionths of a budget, settled and held) on, a dear model gives way to a cheaper one.

    `models` goes from the one to the other, each `@provider/model` or `model`.
    """

    at: int
    models: Mapping[str, str]

    def instead_of(self, provider: str, model: str) -> str | None:
        """The name of the cheaper model; None: there is none."""
        return self.models.get(f"@{provider}/{model}") or self.models.get(model)


@dataclass(frozen=True, slots=True)
class TenantPolicy:
    """Of one tenant. `slug` is the platform's own name for it."""

    id: str
    slug: str
    tier: str | None = None
    """What the platform calls the customer's plan: `free`, `pro` ..."""
    models: ModelNames | None = None
    """All that it may use, of what its workspace has; None: everything."""
    default_model: str | None = None
    """Where a call without a model goes."""
    downgrade: Downgrade | None = None
    suspended: bool = False
