"""What is known of a model besides its price."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Limits and abilities of one model at one provider, from the compiled table.

    Limits are the largest that any source names, so that a bound made from them holds; None is not known.
    """

    provider: str
    model: str
    """The model's main id, whatever alias it was asked for by."""
    context_window: int | None = None
    """Input tokens, at most."""
    max_output: int | None = None
    """Output tokens, at most, reasoning included."""
    kind: str = "chat"
    """`chat`, `completion`, `embedding`, `image`, `audio`, as the second source tells it."""
    capabilities: frozenset[str] = frozenset()
    """What the model is known to do: `tools`, `images`, `pdf`, `audio_input`, `reasoning`, `json_schema` ... Absence is
    no proof that it cannot."""
