"""One way for a call to go, worked out but for what is left of its allowances."""

from dataclasses import dataclass
from typing import Self

from headgate.catalog.bound import Bound, Bounds
from headgate.dataplane.call import Call
from headgate.dataplane.ration import Ration
from headgate.ledger.allowance import Allowance
from headgate.routing.plan import Plan


@dataclass(frozen=True, slots=True)
class Choice:
    """A call's plan, and all that follows from it."""

    plan: Plan
    of_policies: tuple[Allowance, ...]
    allowances: tuple[Allowance, ...]
    bounds: Bounds
    bound: Bound
    ration: Ration | None
    max_tokens: int | None
    flags: tuple[str, ...]
    told: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def of(cls, call: Call, bounds: Bounds) -> Self:
        """The way that the call goes now."""
        return cls(
            call.plan,
            call.of_policies,
            call.allowances,
            bounds,
            call.bound,
            call.ration,
            call.max_tokens,
            call.flags,
            tuple(call.told),
        )

    def take(self, call: Call) -> None:
        """The call goes this way."""
        call.plan = self.plan
        call.of_policies = self.of_policies
        call.allowances = self.allowances
        call.bound = self.bound
        call.ration = self.ration
        call.max_tokens = self.max_tokens
        call.flags = self.flags
        call.told = self.told
