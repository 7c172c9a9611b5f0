"""A link with which a user sets a new password, once, without the one before."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset:
    """`token_hash` is the HMAC of the link's token; the token itself is nowhere. Times are nanoseconds."""

    token_hash: bytes = field(repr=False)
    organization_id: str
    user_id: str
    created_at: int
    expires_at: int
