"""The integration: a provider credential of the organization, and what of it each workspace may use."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from headgate.tenancy.capacity import Capacity
from headgate.tenancy.limits import RateLimit, UsageLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalAccess:
    """What a workspace gets that is created later."""

    enabled: bool = False
    usage_limits: tuple[UsageLimit, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """`sealed_key` and `sealed_headers` are the vault's records; in the clear they exist in policies only."""

    id: str
    organization_id: str
    workspace_id: str | None = None
    """Set where it was made for one workspace only."""
    slug: str
    name: str
    description: str = ""
    kind: str
    """The catalog's provider id."""
    base_url: str | None = None
    """None: the catalog's."""
    sealed_key: bytes | None = field(default=None, repr=False)
    masked_key: str = ""
    sealed_headers: bytes | None = field(default=None, repr=False)
    header_names: tuple[str, ...] = ()
    allow_all_models: bool = True
    global_access: GlobalAccess = GlobalAccess()
    multipliers: Mapping[str, int] = field(default_factory=dict)
    """What its prices are multiplied by, in millionths, by meter and under `default`."""
    capacity: Capacity | None = None
    """None: there is no end of it, as far as is known."""
    created_at: int
    updated_at: int

    @property
    def key_row(self) -> str:
        """What the vault binds the credential to."""
        return f"integration/{self.id}/key"

    @property
    def headers_row(self) -> str:
        return f"integration/{self.id}/headers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    """An integration in one workspace: whether, and how much of it."""

    integration_id: str
    workspace_id: str
    enabled: bool
    usage_limits: tuple[UsageLimit, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    usage_reset_at: int | None = None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationModel:
    """One model an administrator said something about. `rates` are nano-dollars per million units, by meter; without
    them it costs what its base model costs."""

    integration_id: str
    slug: str
    enabled: bool
    is_custom: bool = False
    is_finetune: bool = False
    base_model_slug: str | None = None
    rates: Mapping[str, int] | None = None
    base_url: str | None = None
    """Where it lives, if not where the rest of the integration does."""
    sealed_headers: bytes | None = field(default=None, repr=False)
    header_names: tuple[str, ...] = ()
    created_at: int
    updated_at: int

    @property
    def headers_row(self) -> str:
        return f"integration/{self.integration_id}/model/{self.slug}/headers"
