"""A plan: the ordered targets of one call."""

from dataclasses import dataclass

from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Price
from headgate.catalog.provider import ProviderSpec
from headgate.tenancy.policy import Provider


@dataclass(frozen=True, slots=True)
class Target:
    """Provider x model x credential, and what is known of them."""

    provider: Provider
    spec: ProviderSpec
    model: str
    """As the provider knows it."""
    format: str
    """The wire format to speak with it for this call."""
    facts: ModelFacts | None
    price: Price | None


@dataclass(frozen=True, slots=True)
class Plan:
    """`targets` is never empty: the first is tried first."""

    model_asked: str
    targets: tuple[Target, ...]

    @property
    def first(self) -> Target:
        return self.targets[0]
