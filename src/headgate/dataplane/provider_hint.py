"""Which provider a header names, for a model without one."""

from headgate.base.errors import InvalidRequest
from headgate.dataplane.exchange import Exchange

REFUSED = {
    b"x-portkey-custom-host": "A caller cannot name the host; an administrator sets it on the integration.",
}


def provider_hint(exchange: Exchange) -> str | None:
    """The slug in `x-portkey-provider` or, its older name, `x-portkey-virtual-key`. A leading `@` is optional.

    Raises `InvalidRequest` for headers that would change where a call goes and that are not obeyed: silently ignoring
    them would send it somewhere else than the caller meant.
    """
    for header, why in REFUSED.items():
        if exchange.header(header) is not None:
            raise InvalidRequest(why, param=header.decode())
    return named_provider(exchange)


def named_provider(exchange: Exchange) -> str | None:
    """The same for requests that go nowhere."""
    value = exchange.header(b"x-portkey-provider") or exchange.header(b"x-portkey-virtual-key")
    return value.decode("latin-1").strip().removeprefix("@") or None if value else None
