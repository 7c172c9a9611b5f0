"""One credential's whole policy, frozen. The data plane reads this and nothing else about tenancy.

It is built when a key is first used or something above it changed, and replaced as a whole: a call sees one policy
from its first step to its last.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from headgate.base.errors import Forbidden
from headgate.catalog.multiplier import Multipliers
from headgate.catalog.price import Price
from headgate.ledger.allowance import Allowance
from headgate.tenancy.admission import BY_DEFAULT, Admission
from headgate.tenancy.capacity import Capacity
from headgate.tenancy.checks.guard import Guards
from headgate.tenancy.limit_policy import LimitPolicy
from headgate.tenancy.limits import UTC, Zone
from headgate.tenancy.model_names import ModelNames
from headgate.tenancy.prompt_template import PromptTemplate
from headgate.tenancy.route_nodes import RouteConfig
from headgate.tenancy.routing_table import RoutingTable
from headgate.tenancy.tenant_policy import TenantPolicy


class Secret:
    """A credential in the clear, that never prints itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """Which models of an integration a caller may use.

    `enabled` is the allow-list where `allow_all` is false; `disabled` is taken away in both cases.
    `disabled` holds every spelling of a name, in small letters. `prices` are the administrator's own prices (custom
    models, overrides) by model; they win over the catalog's.
    """

    allow_all: bool = True
    enabled: frozenset[str] = frozenset()
    disabled: frozenset[str] = frozenset()
    prices: Mapping[str, Price] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    """Of fine-tuned and custom models, the model whose price and limits they have where they have none of their own."""
    multipliers: Multipliers | None = None
    """Of all prices, the administrator's own included."""

    def allows(self, model: str) -> bool:
        return model.lower() not in self.disabled and (self.allow_all or model in self.enabled)


@dataclass(frozen=True, slots=True)
class Provider:
    """An integration as one workspace sees it: addressed as `@slug/model`."""

    slug: str
    integration_id: str
    kind: str
    """The catalog's provider id: `openai`, `anthropic`, `gemini`, `groq` ..."""
    base_url: str
    """Where the credential may be sent, with the version path; set by an administrator, never by a caller."""
    secret: Secret
    models: ModelAccess
    headers: tuple[tuple[str, str], ...] = ()
    """Extra headers an administrator configured (organisation, project)."""
    allowances: tuple[Allowance, ...] = ()
    """Budgets and rate limits of this integration in this workspace, and of this provider of it; they apply when the
    call goes to it."""
    expires_at: int | None = None
    """Nanoseconds since the epoch; from then on nothing goes there."""
    elsewhere: Mapping[str, "Provider"] = field(default_factory=dict)
    """The same provider for models that live at an address of their own."""
    capacity: Capacity | None = None
    """Of the integration, for all workspaces together. None: nobody waits for a turn."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What one API key may do. `metadata` is the workspace's over the key's: a request cannot override either."""

    organization_id: str
    workspace_id: str
    workspace_slug: str
    key_id: str
    key_name: str
    scopes: frozenset[str]
    providers: Mapping[str, Provider]
    """By slug."""
    tenant_id: str | None = None
    tenant: TenantPolicy | None = None
    """Of the tenant it belongs to, or acts for in this call."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    allowances: tuple[Allowance, ...] = ()
    """Those of organization, workspace, tenant and key: they apply to every call."""
    limit_policies: tuple[LimitPolicy, ...] = ()
    """Those of organization and workspace. Which of them apply, and to which group, depends on the call."""
    zone: Zone = UTC
    admission: Admission = BY_DEFAULT
    expires_at: int | None = None
    """Nanoseconds since the epoch."""
    user_id: str | None = None
    """Whose key it is."""
    models: ModelNames | None = None
    """All that this key may use, of what its workspace has; None: everything."""
    config: RouteConfig | None = None
    """The one that its calls take which name none."""
    configs: Mapping[str, RouteConfig] = field(default_factory=dict)
    """Those that a call may name, by slug."""
    prompts: Mapping[str, PromptTemplate] = field(default_factory=dict)
    """Those that a call may be made from, by slug and by id."""
    allow_config_override: bool = True
    """Whether a call may bring a config of its own."""
    guardrails: Guards | None = None
    """What its calls are checked with; None: nothing, and no config can name anything."""
    routing: RoutingTable | None = None
    """Where calls go that leave the choice of the model to the gateway."""
    keeps_bodies: bool = False
    """Its organization keeps the bodies of calls."""

    def require(self, scope: str) -> None:
        """Raises `Forbidden` naming the scope that is missing."""
        if scope not in self.scopes:
            raise Forbidden(
                f"This API key does not have the scope `{scope}`. Ask an administrator to add it.", param=scope
            )
