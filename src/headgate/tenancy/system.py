"""How the installation stands: what its administrators may see of the machine, and having its books added up again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headgate.tenancy.principal import Principal

READ = "organisation_settings.read"
UPDATE = "organisation_settings.update"


@dataclass(frozen=True, slots=True)
class StoreState:
    """A database, or what processes share allowances through. `trouble` is empty where it answers."""

    name: str
    version: str
    schema: str
    newest_schema: str
    answered_ms: float
    trouble: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalState:
    """Of this process. Bytes; `oldest_at` is when the oldest call was held that it is still kept for because it is
    under way; None: there is none."""

    size: int
    limit: int
    segments: int
    unwritten_calls: int
    """Settled, and not in the database yet."""
    oldest_at: int | None
    trouble: str


@dataclass(frozen=True, slots=True)
class HoldState:
    """A call under way in this process and what it holds. Cost is nano-dollars; `key_id` is empty for one that was not
    sent yet."""

    request_id: str
    at: int
    key_id: str
    tenant_id: str | None
    model: str
    cost: int
    tokens: int


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One that may hold a part of shared allowances. `shares` is how many, where it is this very process."""

    id: str
    place: str
    started_at: int
    idle: int
    alive: bool
    shares: int | None


@dataclass(frozen=True, slots=True)
class SettingState:
    """One that is not as it comes; a secret is masked."""

    name: str
    value: str
    told: str


@dataclass(frozen=True, slots=True)
class Resting:
    """A target that calls with a config pass over for now."""

    integration_id: str
    model: str
    why: str
    for_ms: int


@dataclass(frozen=True, slots=True)
class Verification:
    """Adding up all balances from the usage records. `ended_at` is None while it runs; `failure` is why it did not come
    to its end."""

    started_at: int
    ended_at: int | None = None
    records: int = 0
    of: int = 0
    allowances: int = 0
    unfinished: int = 0
    differences: tuple[str, ...] = ()
    more_differences: int = 0
    """That are not among them."""
    failure: str = ""

    @property
    def running(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemState:
    """All of it, at one moment."""

    version: str
    python: str
    process_id: int
    started_at: int
    trouble: str | None
    """Why this process takes no calls; None: it does."""
    stores: Sequence[StoreState]
    journal: JournalState
    outbox: dict[str, int]
    """Deliveries of alerts, by their state."""
    holds: Sequence[HoldState]
    """The oldest first; at most as many as were asked for."""
    held: int
    """How many there are."""
    processes: Sequence[ProcessState]
    settings: Sequence[SettingState]
    resting: Sequence[Resting]
    verification: Verification | None
    """The last one that this process began."""


class Machine(Protocol):
    """The process and what it stands on; see `bootstrap.machine`."""

    async def state(self, holds: int) -> SystemState: ...
    def resting(self) -> Sequence[Resting]: ...
    def verify(self) -> Verification:
        """Begin, unless it runs already."""
        ...


class SystemService:
    """For those who administer the organization: it is not theirs alone, but nobody else's."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def state(self, principal: Principal, *, holds: int = 100) -> SystemState:
        principal.require_organization()
        return await self._machine.state(holds)

    def resting(self, principal: Principal) -> Sequence[Resting]:
        """Providers' models that are left alone for now."""
        principal.require_organization()
        return self._machine.resting()

    def verify(self, principal: Principal) -> Verification:
        """Add up every balance from the usage records, beside the process. `state` has how far it is."""
        principal.require_organization()
        return self._machine.verify()
