"""What the data plane bounds, and for how long it waits. Filled from the settings by `bootstrap`."""

from dataclasses import dataclass, field

from headgate.upstream.client import Deadlines


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and seconds."""

    body: int = 32 * 1024 * 1024
    """The largest request body."""
    body_within_s: float = 60
    """How long a client may take to send its body."""
    answer: int = 64 * 1024 * 1024
    """The largest answer that is read as a whole."""
    after_hangup_s: float = 20
    """How long a provider is still read after its client has hung up: it bills what it generates, and only its own
    figures at the end say how much that was. 0 closes at once and settles at the upper bound."""
    heartbeat_s: float = 15
    """The longest silence in a client's stream; 0: as long as the provider's."""
    default_max_output: int = 16_384
    """The output limit sent with a call to a model whose own maximum is not known, so that its bound is true."""
    deadlines: Deadlines = field(default_factory=Deadlines)
