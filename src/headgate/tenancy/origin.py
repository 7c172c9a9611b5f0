"""Where a change came from: the HTTP request behind it, as the audit log keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """No secret is in any of it: of the headers those on a list, of the body what its endpoint knows, masked."""

    request_id: str
    method: str
    uri: str
    """The path, without the query."""
    query: str
    headers: str
    """JSON text, by lower-case name."""
    request_body: str
    """JSON text; `null` where there was none."""
    client_ip: str
    country: str | None = None
    """In two capital letters, if a proxy told it."""
