"""Which config a call takes: the one it brings in `x-portkey-config`, else the one of its key or workspace."""

from functools import lru_cache
from typing import Any, Final

import msgspec

from headgate.base.errors import InvalidRequest, NotFound
from headgate.dataplane.exchange import Exchange
from headgate.tenancy.policy import Policy
from headgate.tenancy.route_config import parse
from headgate.tenancy.route_nodes import RouteConfig

HEADER: Final = b"x-portkey-config"
LONGEST: Final = 16 * 1024


def config_of(exchange: Exchange, policy: Policy) -> RouteConfig | None:
    """None: it has none. The header is the slug of a stored config, or a config in JSON.

    Raises `InvalidRequest` for what is no config, and where the key may not bring one; `NotFound` for a slug that is
    not here.
    """
    header = exchange.header(HEADER)
    if header is None:
        return policy.config
    text = header.strip()
    if policy.config is not None and text == policy.config.slug.encode():
        return policy.config
    if not policy.allow_config_override:
        of_its_own = "" if policy.config is None else ": it has one of its own"
        raise InvalidRequest(
            f"This API key may bring no config{of_its_own}. Leave the header `x-portkey-config` out.",
            param=HEADER.decode(),
            code="config_override_not_allowed",
        )
    if text.startswith(b"{"):
        return _read(text)
    slug = text.decode("latin-1")
    if (found := policy.configs.get(slug)) is None:
        raise NotFound(f"There is no config `{slug[:100]}` here.", param=HEADER.decode(), code="config_not_found")
    return found


@lru_cache(maxsize=1024)
def _read(text: bytes) -> RouteConfig:
    """Clients send the same one with every call."""
    if len(text) > LONGEST:
        raise InvalidRequest(f"A config in a header has at most {LONGEST} bytes; store it.", param=HEADER.decode())
    try:
        document: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("`x-portkey-config` is neither a slug nor JSON.", param=HEADER.decode()) from None
    return parse(document)
