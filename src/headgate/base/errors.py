"""Everything that can be wrong, as the caller will read it.

One hierarchy for both planes. `wire.errors` renders it in the client's own format, `controlplane` in the contract's
superset body. A message is a sentence that names the field and the way out; it never carries another tenant's data.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class HeadgateError(Exception):
    """Base of all errors that reach a caller.

    `status` is the HTTP status, `type` and `code` the machine-readable kind, `param` the field at fault,
    `details` figures for programs (allowance, asked, left, resets_at, allowed models), `retry_after` seconds.
    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "internal_error"
    code: ClassVar[str | None] = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        type: str | None = None,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.details: Mapping[str, Any] = details or {}
        self.retry_after = retry_after
        if code is not None:
            self.code = code  # type: ignore[misc]
        if type is not None:
            self.type = type  # type: ignore[misc]


class InvalidRequest(HeadgateError):
    """The request is not what the endpoint takes."""

    status, type, code = 400, "invalid_request_error", "AB01"


class Unauthenticated(HeadgateError):
    """No credential, or one that is not known, revoked or expired. Says no more than that."""

    status, type, code = 401, "authentication_error", "03"


class Forbidden(HeadgateError):
    """A known credential without the scope."""

    status, type, code = 403, "permission_error", "AB03"


class NotFound(HeadgateError):
    """Absent and foreign objects answer alike."""

    status, type, code = 404, "not_found_error", "AB08"


class MethodNotAllowed(HeadgateError):
    """The path exists, the method does not."""

    status, type, code = 405, "invalid_request_error", "method_not_allowed"


class TimedOut(HeadgateError):
    """A deadline passed: ours for the client's bytes, or the provider's for its answer."""

    status, type, code = 408, "timeout_error", "timeout"


class Conflict(HeadgateError):
    """It exists already, or something else is doing the same."""

    status, type, code = 409, "conflict_error", "AB07"


class Exhausted(HeadgateError):
    """Settled spend has reached a cap: waiting a moment does not help."""

    status, type, code = 412, "budget_exhausted_error", "04"


class ModelNotAllowed(HeadgateError):
    """The model is not provisioned for this caller. `details.allowed` lists what is."""

    status, type, code = 412, "model_not_allowed_error", "model_not_allowed"


class TooLarge(HeadgateError):
    """A body, header or nesting beyond the limit."""

    status, type, code = 413, "request_too_large", "request_too_large"


class UnsupportedMedia(HeadgateError):
    """A Content-Encoding or Content-Type that is not taken."""

    status, type, code = 415, "invalid_request_error", "unsupported_media_type"


class Unprocessable(HeadgateError):
    """Well-formed, and still not acceptable: an idempotency key with another body, for example."""

    status, type, code = 422, "invalid_request_error", "AB02"


class RateLimited(HeadgateError):
    """A rate is used up, or other calls hold what is left. `retry_after` says when it may fit."""

    status, type, code = 429, "gateway_rate_limit_error", "05"


class HeadersTooLarge(HeadgateError):
    """A request head beyond the limit."""

    status, type, code = 431, "request_too_large", "request_header_too_large"


class GuardrailDenied(HeadgateError):
    """A guardrail said no."""

    status, type, code = 446, "guardrail_denied_error", "guardrail_denied"


class UpstreamFailed(HeadgateError):
    """The provider could not be reached, broke off, or sent what is no answer."""

    status, type, code = 502, "upstream_error", "upstream_failed"


class Unavailable(HeadgateError):
    """Headgate itself cannot take the call now: draining, or a store it must write to is away."""

    status, type, code = 503, "unavailable_error", "unavailable"
