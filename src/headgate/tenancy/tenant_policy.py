"""What the data plane knows of a tenant, beside its allowances, metadata and admission: those are in the policy."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from headgate.tenancy.model_names import ModelNames

WHOLE: Final = 1_000_000
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

    def reached(self, cap: int, used: int) -> bool:
        """Whether so much of a budget is the share at which it begins, or more."""
        return used * WHOLE >= cap * self.at

    def document(self) -> dict[str, Any]:
        """For storage; `Downgrade.stored` reads it back."""
        return asdict(self)

    @classmethod
    def stored(cls, document: Mapping[str, Any]) -> "Downgrade":
        return cls(**document)


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
    weight: int = 1
    """How much of a provider's capacity it gets beside other tenants that wait for it."""
