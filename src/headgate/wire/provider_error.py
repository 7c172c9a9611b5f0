"""A provider's error answer, read whatever its format, to be told in the client's."""

from typing import Any, Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.wire import loose

LONGEST_MESSAGE: Final = 4_000

_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
}


class ProviderError(HeadgateError):
    """What the provider said, with the status it said it by. It is told to the client and never raised."""

    def __init__(self, status: int, message: str, code: str | None, param: str | None) -> None:
        kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
        super().__init__(message, type=kind, param=param)
        self.status = status  # type: ignore[misc]  # the provider's, not ours
        self.code = code  # type: ignore[misc]


def read_error(status: int, body: bytes) -> ProviderError:
    """Never raises: a body that says nothing readable (a proxy's HTML) becomes a sentence with the status."""
    whole = _opened(body)
    error = loose.mapping(whole.get("error")) or whole
    sentences = (error.get("message"), whole.get("error"), whole.get("message"), whole.get("detail"))
    message = next((text for sentence in sentences if (text := loose.text(sentence))), "")
    if not message:
        message = f"The provider answered with status {status} and no readable error."
    # Google has its own word for the kind of error in `status`, and repeats the HTTP status in `code`.
    code = loose.text(error.get("code")) or loose.text(error.get("status")) or None
    return ProviderError(status, message[:LONGEST_MESSAGE], code, loose.text(error.get("param")) or None)


def _opened(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return next(iter(loose.mappings(value)), {}) if isinstance(value, list) else loose.mapping(value)
