"""An allowance: scope x resource x window x cap. Rate limits and budgets are both allowances."""

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec


class Resource(StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    COST = "cost"
    """Nano-dollars."""
    IN_FLIGHT = "in_flight"
    """Calls under way; given back when they end."""


class WindowKind(StrEnum):
    """How the count goes back to zero."""

    SLIDING = "sliding"
    """Never more than the cap in any interval of `seconds`."""
    CALENDAR = "calendar"
    """Resets at midnight of the organization's time zone: each day, each Monday, each first of the month."""
    EVERY_DAYS = "every_days"
    """Resets each `days` days at midnight, counted from `anchor`."""
    LIFETIME = "lifetime"
    """Never resets by itself."""


@dataclass(frozen=True, slots=True)
class Window:
    """Only the fields of its kind are set."""

    kind: WindowKind
    seconds: int = 0
    unit: str = ""
    """`day`, `week` or `month`, of a calendar window."""
    days: int = 0
    anchor: int = 0
    """Nanoseconds since the epoch from which an every-days window counts."""
    time_zone: str = "UTC"


LIFETIME = Window(WindowKind.LIFETIME)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose allowance it is: `kind` is organization, workspace, tenant, api_key, integration, provider or policy."""

    kind: str
    id: str
    name: str = ""
    """What the caller knows it by; only its own scopes are ever shown to it."""
    hidden: bool = False
    """Its figures are of several customers together, and so for none of them; the organization's always are."""

    open_to_callers: bool = field(init=False, compare=False, repr=False)
    """Whether a caller to whom it applies may see its figures."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "open_to_callers", self.kind != "organization" and not self.hidden)

    @property
    def counts_attempts(self) -> bool:
        """Whether its requests are those that went to a provider; else they are those that its callers made."""
        return self.kind in ("integration", "provider")


@dataclass(frozen=True, slots=True)
class Allowance:
    """`id` names the counter: the same id is the same counter, whatever its cap; a change of window is another id."""

    id: str
    scope: Scope
    resource: Resource
    window: Window
    cap: int
    """In the resource's unit; 0 blocks."""
    since: int = 0
    """What was held before does not count (wall clock): an administrator reset the usage then."""


class Amounts(msgspec.Struct, frozen=True, array_like=True):
    """What a call takes, or took, of each resource."""

    requests: int = 1
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0
    """Nano-dollars."""

    def of(self, resource: Resource) -> int:
        match resource:
            case Resource.REQUESTS:
                return self.requests
            case Resource.TOKENS:
                return self.input_tokens + self.output_tokens
            case Resource.INPUT_TOKENS:
                return self.input_tokens
            case Resource.OUTPUT_TOKENS:
                return self.output_tokens
            case Resource.COST:
                return self.cost
            case Resource.IN_FLIGHT:
                return 1

    def figures(self, in_flight: int) -> tuple[int, int, int, int, int, int]:
        """The amount of every resource, in the order of `Resource`."""
        incoming, outgoing = self.input_tokens, self.output_tokens
        return (self.requests, incoming + outgoing, incoming, outgoing, self.cost, in_flight)
