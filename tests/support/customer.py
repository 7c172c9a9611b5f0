"""A customer of a running gateway, as the contract tests need one."""

from dataclasses import dataclass

from tests.support.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Customer:
    """A workspace with the three providers, and a key in it. `refused` is a model that is taken away from it."""

    gateway: Gateway
    workspace: str
    key: str
    refused: str = "@openai/sim-huge"

    def arguments(self, provider: str) -> dict[str, object]:
        """What the SDK scripts want to know."""
        return {
            "base_url": f"{self.gateway.url}/v1",
            "key": self.key,
            "model": f"@{provider}/sim-fast",
            "refused": self.refused,
            "failing": f"@{provider}/sim-529",
            "speaks_openai": provider == "openai",
            "speaks_anthropic": provider == "anthropic",
        }
