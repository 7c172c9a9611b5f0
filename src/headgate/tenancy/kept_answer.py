"""The first answer to a request with an idempotency key, kept to be given again."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """One per organization, caller and key. The body is sealed: it may show a secret for the only time, or say what a
    model said."""

    organization_id: str
    actor: str
    key_hash: bytes = field(repr=False)
    fingerprint: bytes = field(repr=False)
    """Of method, path, query and body."""
    carried_out: bool = False
    """Set in the transaction that makes the change; of a call, once it is known that its answer cannot be kept."""
    status: int | None = None
    """None: there is no answer yet, or it was lost with its process. Without a body: the answer was too large."""
    sealed_body: bytes | None = field(default=None, repr=False)
    created_at: int
    expires_at: int
    request_id: str | None = None
    """Of a call to a model: its usage record says whether it was charged. None: a request of the control plane."""

    @property
    def row(self) -> str:
        """What the vault binds the body to."""
        return f"idempotency_key/{self.actor}/{self.key_hash.hex()}/body"
