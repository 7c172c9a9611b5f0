"""Who there is in the demo. Figures of the tiers are those of the guide it follows (contract/portkey.md, section 1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tier:
    """A workspace; dollars a month, and requests a minute of each of its customers."""

    name: str
    dollars: int
    rpm: int

    @property
    def slug(self) -> str:
        return self.name.lower()

    @property
    def budget(self) -> dict[str, object]:
        """As the administration API takes it: by the month, alerted at 80 %."""
        return {
            "type": "cost",
            "credit_limit": self.dollars,
            "alert_threshold": self.dollars * 4 // 5,
            "periodic_reset": "monthly",
        }


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer account: a key of its own in its tier's workspace."""

    name: str
    tier: Tier

    @property
    def email(self) -> str:
        return f"admin@{self.name.lower().replace(' ', '-')}.example"


@dataclass(frozen=True, slots=True)
class Upstream:
    """The simulator as one provider. Prices in US cents per token: input, output."""

    slug: str
    kind: str
    version_path: str
    prices: tuple[float, float]


ENTERPRISE = Tier("Enterprise", 500, 1000)
PROFESSIONAL = Tier("Professional", 100, 100)
STARTER = Tier("Starter", 25, 10)
TIERS = (ENTERPRISE, PROFESSIONAL, STARTER)

CUSTOMERS = (
    Customer("Acme", ENTERPRISE),
    Customer("Globex", ENTERPRISE),
    Customer("Initech", ENTERPRISE),
    Customer("Umbrella", PROFESSIONAL),
    Customer("Hooli", PROFESSIONAL),
    Customer("Stark", PROFESSIONAL),
    Customer("Wayne", PROFESSIONAL),
    Customer("Pied Piper", STARTER),
    Customer("Bluth", STARTER),
    Customer("Dunder", STARTER),
    Customer("Vandelay", STARTER),
    Customer("Wonka", STARTER),
)

UPSTREAMS = (
    Upstream("openai", "openai", "/v1", (0.00025, 0.001)),
    Upstream("anthropic", "anthropic", "/v1", (0.0003, 0.0015)),
    Upstream("gemini", "google", "/v1beta", (0.000125, 0.0005)),
)

REFUSED_MODEL = "sim-huge"
"""Taken away from everybody: a call for it is refused before the provider hears of it."""
