"""What the audit log keeps of a request: enough to know who did what from where, and nothing secret."""

import json
from typing import Any, Final, get_args
from urllib.parse import urlencode

from fastapi import Request
from pydantic import ValidationError

from headgate.base.redaction import redacted, without_secrets
from headgate.controlplane.body import Body
from headgate.tenancy.origin import Origin

HEADERS: Final = ("user-agent", "x-portkey-package-version", "x-portkey-trace-id")
"""All that is kept of them: any other may hold a credential."""
LONGEST: Final = 16_384
"""Characters of a body; of a longer one only that it was longer."""


async def origin_of(request: Request, body: type[Body] | None) -> Origin:
    """`body` is the type that the endpoint takes, None where it takes none. Reads the whole request."""
    return Origin(
        request_id=request.scope["headgate.request_id"],
        method=request.method,
        uri=request.url.path,
        query=urlencode([(name, redacted(name, value)) for name, value in request.query_params.multi_items()]),
        headers=_text({name: without_secrets(request.headers[name]) for name in HEADERS if name in request.headers}),
        request_body=_masked(await request.body(), body),
        client_ip=request.client.host if request.client else "",
        country=country_of(request),
    )


def country_of(request: Request) -> str | None:
    """As a proxy told it that is known; see `dataplane.proxies`."""
    found: str | None = request.scope.get("headgate.country")
    return found


def body_type(annotation: Any) -> type[Body] | None:
    """The body of an endpoint from the type it is declared with, which may be optional."""
    of = [each for each in (annotation, *get_args(annotation)) if isinstance(each, type) and issubclass(each, Body)]
    return of[0] if of else None


def _masked(raw: bytes, body: type[Body] | None) -> str:
    if not raw or body is None:
        return "null"
    try:
        text = _text(body.model_validate_json(raw).masked())
    except ValidationError:
        return "null"  # nothing will come of it
    return text if len(text) <= LONGEST else _text({"longer than": LONGEST})


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
