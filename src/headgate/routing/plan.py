"""A plan: the ordered targets of one call."""

from dataclasses import dataclass

from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Price
from headgate.catalog.provider import ProviderSpec
from headgate.ledger.allowance import Allowance
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

    @property
    def told(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers that tell a client where its call went."""
        return (b"x-headgate-model", self.model.encode()), (b"x-portkey-provider", self.provider.kind.encode())


@dataclass(frozen=True, slots=True)
class Plan:
    """`targets` is never empty: the first is tried first."""

    model_asked: str
    targets: tuple[Target, ...]
    allowances: tuple[Allowance, ...] = ()
    """All that apply: those of the policy, and of the integration the first target goes to."""

    @property
    def expires_at(self) -> int | None:
        """When the first of its providers expires (wall clock, nanoseconds)."""
        return min((each.provider.expires_at for each in self.targets if each.provider.expires_at), default=None)

    @property
    def first(self) -> Target:
        return self.targets[0]
