"""`GET /v1/models`: exactly what a call with this key may name."""

import msgspec

from headgate.base.errors import MethodNotAllowed, NotFound
from headgate.catalog.catalog import Catalog
from headgate.dataplane.call import Call
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.headers import JSON, call_headers
from headgate.routing.resolve import allowed_models
from headgate.tenancy.policy import Policy, Provider


async def list_models(exchange: Exchange, call: Call, policy: Policy, catalog: Catalog) -> None:
    """The list, or the one model whose id follows in the path. Readable by OpenAI's, Anthropic's and Portkey's SDK."""
    if exchange.method != "GET":
        raise MethodNotAllowed(f"`{exchange.path}` takes GET.")
    data = [_entry(provider, model) for provider, model in allowed_models(policy, catalog, call.started_at)]
    asked = exchange.path.removeprefix("/v1").removeprefix("/models").removeprefix("/")
    if asked:
        body = msgspec.json.encode(_one(data, asked))
    else:
        ids = [str(entry["id"]) for entry in data]
        body = msgspec.json.encode(
            {
                "object": "list",
                "total": len(data),
                "data": data,
                "has_more": False,
                "first_id": ids[0] if ids else None,
                "last_id": ids[-1] if ids else None,
            }
        )
    await exchange.respond(200, [JSON, *call_headers(call, b"gateway"), *call.standing], body)


def _entry(provider: Provider, model: str) -> dict[str, object]:
    return {
        "id": f"@{provider.slug}/{model}",
        "slug": model,
        "canonical_slug": model,
        "object": "model",
        "type": "model",
        "display_name": model,
        "created": 0,
        "created_at": "1970-01-01T00:00:00Z",
        "owned_by": provider.kind,
        "provider": provider.slug,
    }


def _one(data: list[dict[str, object]], asked: str) -> dict[str, object]:
    for entry in data:
        if asked in (entry["id"], entry["slug"]):
            return entry
    raise NotFound(f"The model `{asked[:200]}` is not available to this API key. GET /v1/models lists what is.")
