"""One way for a call to go, worked out but for what is left of its allowances."""

from dataclasses import dataclass
from typing import Self

from headgate.catalog.bound import Bounds
from headgate.dataplane.call import Call
from headgate.dataplane.leg import Leg
from headgate.routing.plan import Plan


@dataclass(frozen=True, slots=True)
class Choice:
    """A call's plan, the most it can cost there, and the call as it is for it."""

    plan: Plan
    bounds: Bounds
    leg: Leg

    @classmethod
    def of(cls, call: Call, bounds: Bounds) -> Self:
        """The way that the call goes now."""
        return cls(call.plan, bounds, Leg.of(call))

    def take(self, call: Call) -> None:
        """The call goes this way."""
        self.leg.take(call)
