"""Which calls a question is about, and what is said of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Between = tuple[int | None, int | None]
"""At least and at most; None: no bound."""
ANY: Final[Between] = (None, None)
METADATA: Final = "metadata."


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """All that is set must hold; of several values one is enough. Ids unless said otherwise; times in nanoseconds since
    the epoch, `until` not included."""

    organization_id: str
    since: int
    until: int
    workspaces: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    """Name and value."""
    tagged: tuple[str, tuple[str, ...]] | None = None
    """The name of one piece of metadata, and the values of which it must be one."""
    providers: tuple[str, ...] = ()
    """Slugs."""
    models: tuple[str, ...] = ()
    services: tuple[tuple[str, str], ...] = ()
    """Kind of provider and model; the model empty: any."""
    statuses: tuple[int, ...] = ()
    outcomes: tuple[str, ...] = ()
    failed: bool | None = None
    """Whether the client got an error."""
    cache_statuses: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    """Slugs."""
    prompts: tuple[str, ...] = ()
    """Slugs."""
    rescued: bool | None = None
    """Whether it took more than one attempt."""
    request_ids: tuple[str, ...] = ()
    trace_ids: tuple[str, ...] = ()
    span_ids: tuple[str, ...] = ()
    cost: Between = ANY
    """Nano-dollars."""
    input_tokens: Between = ANY
    output_tokens: Between = ANY
    total_tokens: Between = ANY

    @property
    def about_who(self) -> bool:
        return bool(self.tenants or self.keys or self.users or self.metadata or self.tagged)

    @property
    def metadata_names(self) -> set[str]:
        """Of all metadata that it is about."""
        return {name for name, _ in self.metadata} | ({self.tagged[0]} if self.tagged else set())

    @property
    def about_what(self) -> bool:
        told = (
            *(self.providers, self.models, self.services, self.statuses, self.outcomes),
            *(self.cache_statuses, self.configs, self.prompts),
        )
        return any(told) or self.failed is not None or self.rescued is not None

    @property
    def about_each(self) -> bool:
        """No sum tells: each call has to be looked at."""
        ranges = (self.cost, self.input_tokens, self.output_tokens, self.total_tokens)
        return bool(self.request_ids or self.trace_ids or self.span_ids) or any(each != ANY for each in ranges)


class Label(StrEnum):
    """What calls can be grouped by. Beside these, metadata: `metadata.` and its name."""

    WORKSPACE = "workspace"
    TENANT = "tenant"
    API_KEY = "api_key"
    USER = "user"
    PROVIDER = "provider"
    AI_SERVICE = "ai_service"
    MODEL = "model"
    STATUS = "status_code"
    OUTCOME = "outcome"
    ENDPOINT = "endpoint"
    CACHE = "cache_status"
    CONFIG = "config"
    PROMPT = "prompt"


OF_WHO: Final = frozenset((Label.TENANT, Label.API_KEY, Label.USER))


def of_who(label: str) -> bool:
    return label in OF_WHO or label.startswith(METADATA)


def of_what(label: str) -> bool:
    return bool(label) and label != Label.WORKSPACE and not of_who(label)


@dataclass(slots=True)
class Sums:
    """Over some calls: `calls` is how many records there are, `requests` how many their callers made, `errors` those of
    them that ended with a status of 400 or more. `cost` is in nano-dollars, `took` in nanoseconds, `last_at` the latest
    `started_at`."""

    calls: int = 0
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0
    took: int = 0
    errors: int = 0
    last_at: int = 0
    latencies: str = ""
    """See `analytics.latency`; empty unless they were measured."""
    first_bytes: str = ""
    """The same, up to the first byte of those calls that came to one."""

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def add(self, other: "Sums") -> None:
        self.calls += other.calls
        self.requests += other.requests
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.cost += other.cost
        self.took += other.took
        self.errors += other.errors
        self.last_at = max(self.last_at, other.last_at)
        self.latencies += other.latencies
        self.first_bytes += other.first_bytes
