"""What a config comes to for one call: a target to begin with, and where to go from it."""

from collections.abc import Set
from dataclasses import dataclass

from headgate.routing.plan import Plan, Target
from headgate.tenancy.route_nodes import Terms


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """One target of a config. `path` is where it stands there; `after` leads on, the nearest way first."""

    plan: Plan
    path: str
    terms: Terms
    after: "tuple[tuple[frozenset[int] | None, Option], ...]" = ()
    """The codes that lead there; None: all of them."""

    @property
    def target(self) -> Target:
        return self.plan.first

    def elsewhere(self, codes: Set[int]) -> "Option | None":
        """Where a call goes on that got one of these codes here; None: it ends here."""
        return onward(self.after, codes)

    def all(self) -> "list[Option]":
        """This one and all that can come after it, in the order of the config."""
        found: dict[Option, None] = {self: None}
        for _, option in self.after:
            found |= dict.fromkeys(option.all())
        return list(found)


Ways = tuple[tuple[frozenset[int] | None, Option], ...]


def onward(after: Ways, codes: Set[int]) -> Option | None:
    """The nearest of these ways that one of the codes opens."""
    for opens, option in after:
        if opens is None or not opens.isdisjoint(codes):
            return option
    return None
