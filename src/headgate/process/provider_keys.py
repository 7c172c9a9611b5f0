"""Provider credentials that happen to be in the environment: offered as integrations, never taken unasked."""

from collections.abc import Mapping
from typing import Final

VARIABLES: Final[Mapping[str, str]] = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "gemini": "GEMINI_API_KEY",
}
"""Where each provider's own tools look for its credential."""

PLACEHOLDER = "OPENAI_API_KEY"
"""What some SDKs set a credential to that is none."""


def variable_of(provider: str) -> str:
    """The provider's own variable, or by the same pattern `GROQ_API_KEY` for `groq`."""
    return VARIABLES.get(provider, provider.upper().replace("-", "_") + "_API_KEY")


def found_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Credential by provider id, for the three that are offered at the first start."""
    return {
        provider: key
        for provider, variable in VARIABLES.items()
        if (key := environ.get(variable, "").strip()) and key != PLACEHOLDER
    }
