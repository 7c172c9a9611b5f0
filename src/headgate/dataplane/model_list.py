"""The list of models as its clients ask for it and read it: OpenAI's, Portkey's and Anthropic's SDK."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final
from urllib.parse import parse_qs

from headgate.base.errors import InvalidRequest
from headgate.catalog.catalog import Catalog
from headgate.tenancy.policy import Provider

Entry = dict[str, Any]
_SORTS: Final = {"name": "slug", "provider": "provider", "ai_service": "owned_by"}
_LARGEST: Final = 1_000_000_000


def entry(provider: Provider, model: str, catalog: Catalog) -> Entry:
    """One model. When it was made is not known: the contract wants a number."""
    facts = catalog.model(provider.kind, provider.models.bases.get(model, model))
    return {
        "id": f"@{provider.slug}/{model}",
        "slug": model,
        "canonical_slug": model if facts is None else facts.model,
        "object": "model",
        "type": "model",
        "display_name": model,
        "created": 0,
        "created_at": "1970-01-01T00:00:00Z",
        "owned_by": provider.kind,
        "provider": provider.slug,
    }


def page(entries: Sequence[Entry], query: str, catalog: Catalog) -> Entry:
    """What the query asks for: `provider` (its slug or kind) and `ai_service` (its kind), `sort` by name, provider or
    ai_service, `order` asc or desc, `offset` and `limit`. `total` counts all that it describes. Everything, where it
    says nothing. Raises `InvalidRequest` naming the parameter."""
    asked = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    found = _wanted(entries, asked, catalog)
    if "sort" in asked or "order" in asked:
        key = itemgetter(_SORTS[_choice(asked.get("sort", "name"), "sort", _SORTS)], "id")
        descending = _choice(asked.get("order", "asc"), "order", ("asc", "desc")) == "desc"
        found = sorted(found, key=key, reverse=descending)
    offset = _number(asked.get("offset", "0"), "offset")
    limit = _number(asked["limit"], "limit") if "limit" in asked else _LARGEST
    shown = found[offset : offset + limit]
    return {"object": "list", "total": len(found), "total_count": len(found), "data": shown}


def anthropic_page(entries: Sequence[Entry], query: str) -> Entry:
    """The same in Anthropic's words, from `after_id` on or up to `before_id`, `limit` at a time."""
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    places = {each["id"]: place for place, each in enumerate(entries)}
    start, end = 0, len(entries)
    if (after := asked.get("after_id")) is not None:
        start = _place(places, after, "after_id") + 1
    if (before := asked.get("before_id")) is not None:
        end = _place(places, before, "before_id")
    limit = _number(asked["limit"], "limit") if "limit" in asked else _LARGEST
    first = max(start, end - limit) if before is not None else start
    shown = entries[first : min(end, first + limit)]
    more = first > start if before is not None else first + limit < end
    return {
        "data": [anthropic_entry(each) for each in shown],
        "has_more": more,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
    }


def anthropic_entry(found: Entry) -> Entry:
    return {name: found[name] for name in ("type", "id", "display_name", "created_at")}


def _wanted(entries: Sequence[Entry], asked: dict[str, str], catalog: Catalog) -> Sequence[Entry]:
    if (provider := asked.get("provider")) is not None:
        names = {provider.removeprefix("@"), _kind(provider, catalog)}
        entries = [each for each in entries if each["provider"] in names or each["owned_by"] in names]
    if (service := asked.get("ai_service")) is not None:
        entries = [each for each in entries if each["owned_by"] == _kind(service, catalog)]
    return entries


def _kind(name: str, catalog: Catalog) -> str:
    spec = catalog.provider(name)
    return name if spec is None else spec.id


def _choice(value: str, param: str, among: Sequence[str] | dict[str, str]) -> str:
    if value not in among:
        raise InvalidRequest(f"`{param}` must be one of {', '.join(among)}.", param=param)
    return value


def _number(value: str, param: str) -> int:
    if not (value.isascii() and value.isdigit()) or int(value[:10]) > _LARGEST:
        raise InvalidRequest(f"`{param}` must be a whole number.", param=param)
    return int(value[:10])


def _place(places: dict[str, int], model_id: str, param: str) -> int:
    if model_id not in places:
        raise InvalidRequest(f"`{param}` is no model of this list: `{model_id[:200]}`.", param=param)
    return places[model_id]
