"""For whom a call is made: a backend with one key names the tenant, and that tenant's whole policy applies.

Whoever lacks the scope for it changes nothing by naming a tenant: its metadata stays mere metadata.
"""

from typing import Final

import msgspec

from headgate.base.errors import InvalidRequest
from headgate.dataplane.authenticate import Directory, refuse_suspended
from headgate.dataplane.call import Call
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.metadata import requested_metadata
from headgate.tenancy.policy import Policy
from headgate.tenancy.scopes import ACT_AS
from headgate.wire.dialogue import Head
from headgate.wire.document import Document

HEADER: Final = b"x-headgate-tenant"
METADATA: Final = "tenant_id"
NO_BODY: Final = Head(model=None)


async def acting(exchange: Exchange, call: Call, head: Head, directory: Directory) -> Policy:
    """The policy that the call goes by, from here on: the tenant's, with what the key has of its own; or the key's own
    where it may act for nobody, or names nobody.

    Raises `NotFound`, for a tenant of another workspace as for one that does not exist and for an empty name, which is
    a backend that did not know its customer; `Forbidden` for one that is suspended, and `InvalidRequest` where header
    and metadata name different ones.
    """
    policy = call.policy
    if policy.tenant is not None:
        call.tenant = policy.tenant.slug.encode()
        return policy
    if ACT_AS not in policy.scopes:
        return policy
    header = exchange.header(HEADER)
    named = header.decode("latin-1").strip() if header is not None else None
    in_metadata = policy.metadata.get(METADATA)
    if in_metadata is None:
        in_metadata = requested_metadata(exchange, head).get(METADATA)
    if None not in (named, in_metadata) and named != in_metadata:
        raise InvalidRequest(
            f"The header `{HEADER.decode()}` and `metadata.{METADATA}` name different tenants. Send one of them.",
            param=METADATA,
        )
    if METADATA in head.metadata:
        call.document = _without_tenant(call.document)
    if (tenant := in_metadata if named is None else named) is not None:
        call.policy = policy = await directory.acting(policy, tenant)
        call.allowances = policy.allowances
        refuse_suspended(policy)
        call.tenant = policy.tenant.slug.encode() if policy.tenant is not None else b""
    return policy


def _without_tenant(document: Document) -> Document:
    """The request without the name, which is for the gateway: a provider may refuse what it does not know."""
    metadata = {name: value for name, value in document.value("metadata").items() if name != METADATA}
    return Document(document.replace({"metadata": msgspec.json.encode(metadata) if metadata else None}))
