"""Where a webhook's URL leads."""

from headgate.base.errors import InvalidRequest
from headgate.upstream.base_url import vetted_origin
from headgate.upstream.guard import Guard

PARAM = "url"


def checked_url(url: str, guard: Guard, *, plain: bool) -> str:
    """The URL as it is kept. Raises `InvalidRequest` on one that nothing would be sent to; without `plain` only
    https will do."""
    before, mark, query = url.partition("?")
    origin = vetted_origin(before, guard, PARAM)
    if not plain and not origin.tls:
        raise InvalidRequest(f"`{PARAM}` must start with https://", param=PARAM)
    if mark and not (query.isascii() and query.isprintable() and " " not in query and "#" not in query):
        raise InvalidRequest(f"`{PARAM}` has a query with characters that must be percent-encoded.", param=PARAM)
    return f"{origin}{'/' if before.endswith('/') and origin.base_path else ''}{mark}{query}"
