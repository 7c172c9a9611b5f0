"""What is told of a credential that was tried."""

from typing import Literal

from headgate.controlplane.openapi.shape import Shape


class CredentialCheck(Shape):
    """`status` is the provider's own; null where it did not answer."""

    outcome: Literal["accepted", "refused", "unclear", "unreachable"]
    message: str
    status: int | None
    models: int | None
    took_ms: int
    object: Literal["credential_check"]
