"""A session: somebody who has signed in to the console, with a key or a password."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`token_hash` is all that is kept of the cookie. Times are nanoseconds since the epoch.

    Either `user_id` is set or `key_id`: who signed in with a key has that key's rights, as long as it has them.
    """

    id: str
    organization_id: str
    token_hash: bytes = field(repr=False)
    user_id: str | None = None
    key_id: str | None = None
    key_hash: bytes | None = field(default=None, repr=False)
    """Of the key's secret that was shown: a session ends with the secret that opened it."""
    workspace_id: str | None = None
    """Where a user who does not administer the organization looks around now."""
    client_ip: str
    user_agent: str
    created_at: int
    seen_at: int
    """To the minute."""
    expires_at: int
    """Whatever is done with it until then."""

    @property
    def actor(self) -> str:
        return f"user:{self.user_id}" if self.user_id is not None else f"api_key:{self.key_id}"
