"""A plan: the ordered targets of one call."""

from dataclasses import dataclass, field
from typing import Any, Final

from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Price
from headgate.catalog.provider import ProviderSpec
from headgate.ledger.allowance import Allowance
from headgate.tenancy.policy import Provider

Headers = tuple[tuple[bytes, bytes], ...]
Allowances = tuple[Allowance, ...]
MOST_JOINED: Final = 256
"""What a plan keeps joined: a policy may count each user by himself."""


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
    told: Headers = field(init=False, compare=False, repr=False)
    """The headers that tell a client where its call went."""
    standard_headers: Headers = field(init=False, compare=False, repr=False)
    """What is sent to any account of this provider, where the client says nothing else."""
    own_headers: Headers = field(init=False, compare=False, repr=False)
    """What the administrator configured, and the credential: nothing goes before these."""
    prepared: dict[object, Any] = field(init=False, compare=False, repr=False, default_factory=dict)
    """Whatever follows from it alone, kept by those who need it again: as long as it is kept itself."""

    def __post_init__(self) -> None:
        """Targets are kept with their plans, so what they send and tell is written once for many calls."""
        provider, spec = self.provider, self.spec
        told = (b"x-headgate-model", self.model.encode()), (b"x-portkey-provider", provider.kind.encode())
        own = {name.lower().encode(): value.encode() for name, value in provider.headers}
        if secret := provider.secret.reveal():
            own[spec.auth.header.encode()] = spec.auth.value(secret).encode()
        object.__setattr__(self, "told", told)
        object.__setattr__(
            self, "standard_headers", tuple((name.encode(), value.encode()) for name, value in spec.headers.items())
        )
        object.__setattr__(self, "own_headers", tuple(own.items()))


@dataclass(frozen=True, slots=True)
class Plan:
    """`targets` is never empty: the first is tried first."""

    model_asked: str
    targets: tuple[Target, ...]
    allowances: Allowances = ()
    """All that apply: those of the policy, and of the integration the first target goes to."""
    _joined: dict[tuple[int, ...], tuple[Allowances, Allowances]] = field(
        init=False, compare=False, repr=False, default_factory=dict
    )
    """By the identity of what was joined to them, which is kept alive beside the result."""

    @property
    def expires_at(self) -> int | None:
        """When the first of its providers expires (wall clock, nanoseconds)."""
        return min((each.provider.expires_at for each in self.targets if each.provider.expires_at), default=None)

    def allowances_with(self, more: Allowances) -> Allowances:
        """Those and these: for the same ones the very same tuple, by which the ledger knows their counters."""
        if not more:
            return self.allowances
        key = tuple(map(id, more))
        known = self._joined.get(key)
        if known is None:
            if len(self._joined) >= MOST_JOINED:
                self._joined.clear()
            self._joined[key] = known = more, self.allowances + more
        return known[1]

    @property
    def first(self) -> Target:
        return self.targets[0]
