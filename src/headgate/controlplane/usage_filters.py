"""The contract's filters on usage, as a query. What is absent does not filter; several values have commas between."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import Depends, Query

Text = str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFilters:
    """Each as it was sent: `analytics.asked` reads them."""

    time_of_generation_min: Annotated[Text, Query(description="30 days before the end, where it is absent.")] = None
    time_of_generation_max: Annotated[Text, Query(description="Not included; now, where it is absent.")] = None
    workspace_slug: Annotated[Text, Query(description="A workspace's key sees its own in any case.")] = None
    tenant_id: Text = None
    api_key_ids: Text = None
    virtual_keys: Annotated[Text, Query(description="Slugs of providers.")] = None
    ai_model: Text = None
    ai_org_model: Annotated[Text, Query(examples=["openai__gpt-4o"])] = None
    status_code: Annotated[Text, Query(examples=["429,500"])] = None
    outcome: Text = None
    is_success: Annotated[Text, Query(description="`true`: with a status below 400; `false`: all others.")] = None
    cache_status: Annotated[Text, Query(examples=["HIT"])] = None
    metadata: Annotated[Text, Query(examples=['{"subscription_tier":"pro"}'])] = None
    user: Annotated[Text, Query(description="Values of the metadata `_user`.")] = None
    configs: Annotated[Text, Query(description="Slugs of stored configs.")] = None
    prompt_slug: Text = None
    trace_id: Text = None
    span_id: Text = None
    request_id: Text = None
    cost_min: Annotated[Text, Query(description="In cents.")] = None
    cost_max: Annotated[Text, Query(description="In cents.")] = None
    total_units_min: Annotated[Text, Query(description="In tokens.")] = None
    total_units_max: Annotated[Text, Query(description="In tokens.")] = None
    prompt_token_min: Text = None
    prompt_token_max: Text = None
    completion_token_min: Text = None
    completion_token_max: Text = None

    def asked(self) -> dict[str, Any]:
        """Those that were sent."""
        return {name: value for name, value in asdict(self).items() if value is not None}


Filters = Annotated[UsageFilters, Depends()]
