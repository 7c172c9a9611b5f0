"""The contract's table of endpoints: every row is there, takes what it takes and answers what it answers.

What a row says is that of Portkey's administration; the SDK's calls of the same rows are in the scripts beside this.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest

from headgate.dataplane.endpoints import endpoint_for, with_method
from tests.support.openapi import document, operations, resolved

LIMITS: Final = "usage_limits rate_limits"
PAGE: Final = "current_page page_size"
LIST: Final = "object total data"
KEY: Final = f"name description {LIMITS} scopes defaults alert_emails expires_at rotation_policy"
SHOWN_KEY: Final = (
    f"{KEY} id key type organisation_id workspace_id user_id status created_at last_updated_at creation_mode "
    "reset_usage object"
)
WORKSPACE: Final = f"id slug name description created_at last_updated_at defaults is_default {LIMITS} object"
MEMBER: Final = "id first_name last_name email org_role role status workspace_id scopes object"
USER: Final = "object id first_name last_name role email created_at last_updated_at workspace_ids"
PROVIDER: Final = f"name slug integration_id note status {LIMITS} reset_usage expires_at created_at object"
POLICY: Final = "id name conditions group_by type status workspace_id organisation_id created_at last_updated_at object"
FILTERS: Final = (
    "time_of_generation_min time_of_generation_max workspace_slug cost_min cost_max total_units_min total_units_max "
    "prompt_token_min prompt_token_max completion_token_min completion_token_max status_code virtual_keys configs "
    "api_key_ids metadata ai_org_model trace_id span_id prompt_slug"
)
ROWS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    # operation: query, body, answer, items of its `data`
    "POST /api-keys/{}/{}": ("", f"{KEY} workspace_id user_id", "id key object", ""),
    "GET /api-keys": (f"{PAGE} workspace_id", "", LIST, SHOWN_KEY),
    "GET /api-keys/{}": ("", "", f"{SHOWN_KEY} last_reset_at", ""),
    "PUT /api-keys/{}": ("", f"{KEY} reset_usage", "", ""),
    "DELETE /api-keys/{}": ("", "", "", ""),
    "POST /api-keys/{}/rotate": ("", "key_transition_period_ms", "id key key_transition_expires_at", ""),
    "GET /admin/workspaces": (f"{PAGE} currentPage pageSize name exact_name status", "", LIST, WORKSPACE),
    "POST /admin/workspaces": ("", f"name description defaults users {LIMITS}", WORKSPACE, ""),
    "GET /admin/workspaces/{}": ("", "", f"{WORKSPACE} users", ""),
    "PUT /admin/workspaces/{}": ("", f"name description defaults {LIMITS}", "", ""),
    "DELETE /admin/workspaces/{}": ("", "", "", ""),
    "POST /admin/workspaces/{}/users": ("", "users", "", ""),
    "GET /admin/workspaces/{}/users": (PAGE, "", LIST, MEMBER),
    "GET /admin/workspaces/{}/users/{}": ("", "", MEMBER, ""),
    "PUT /admin/workspaces/{}/users/{}": ("", "role", "", ""),
    "DELETE /admin/workspaces/{}/users/{}": ("", "", "", ""),
    "POST /integrations": (
        "",
        "name ai_provider_id key slug description workspace_id configurations create_default_provider "
        "default_provider_slug secret_mappings pricing_adjustments",
        "id slug",
        "",
    ),
    "GET /integrations": (
        f"{PAGE} workspace_id type",
        "",
        LIST,
        "id organisation_id ai_provider_id name status created_at last_updated_at slug description object",
    ),
    "GET /integrations/{}": (
        "",
        "",
        "masked_key configurations global_workspace_access_settings allow_all_models workspace_count",
        "",
    ),
    "PUT /integrations/{}": ("", "name key description configurations", "", ""),
    "DELETE /integrations/{}": ("", "", "", ""),
    "GET /integrations/{}/workspaces": ("", "", "total workspaces global_workspace_access", ""),
    "PUT /integrations/{}/workspaces": (
        "",
        "workspaces global_workspace_access override_existing_workspace_access create_default_provider",
        "",
        "",
    ),
    "GET /integrations/{}/models": ("", "", "total allow_all_models models", ""),
    "PUT /integrations/{}/models": ("", "models allow_all_models", "", ""),
    "DELETE /integrations/{}/models": ("slugs", "", "", ""),
    "GET /providers": (f"{PAGE} workspace_id", "", LIST, PROVIDER),
    "POST /providers": ("", f"name integration_id workspace_id slug note {LIMITS} expires_at", "id slug", ""),
    "GET /providers/{}": ("workspace_id", "", PROVIDER, ""),
    "PUT /providers/{}": ("workspace_id", f"name note {LIMITS} expires_at reset_usage", "", ""),
    "DELETE /providers/{}": ("workspace_id", "", "", ""),
    "GET /virtual-keys": ("workspace_id", "", LIST, ""),
    "POST /virtual-keys": (
        "",
        f"name provider key note workspace_id {LIMITS} expires_at apiVersion resourceName deploymentName",
        "success data slug",
        "",
    ),
    "GET /virtual-keys/{}": ("", "", "", ""),
    "PUT /virtual-keys/{}": ("", "note", "", ""),
    "DELETE /virtual-keys/{}": ("", "", "", ""),
    "POST /policies/usage-limits": (
        "",
        "name conditions group_by type credit_limit alert_threshold periodic_reset periodic_reset_days "
        "next_usage_reset_at workspace_id",
        "id object",
        "",
    ),
    "POST /policies/rate-limits": ("", "name conditions group_by type unit value workspace_id", "id object", ""),
    "PUT /policies/usage-limits/{}": ("", "conditions credit_limit reset_usage_for_value", "", ""),
    "PUT /policies/rate-limits/{}": ("", "conditions unit value", "", ""),
    **{
        f"{method} /policies/{kind}{path}": asked
        for kind in ("usage-limits", "rate-limits")
        for method, path, asked in (
            ("GET", "", (f"{PAGE} workspace_id status type", "", LIST, POLICY)),
            ("GET", "/{}", ("include_usage", "", POLICY, "")),
            ("DELETE", "/{}", ("", "", "", "")),
            ("GET", "/{}/entities", (PAGE, "", LIST, "")),
            ("PUT", "/{}/entities/{}/reset", ("", "", "", "")),
        )
    },
    "GET /configs": ("workspace_id", "", "data", ""),
    "POST /configs": ("", "name config is_default workspace_id status", "success data id slug version_id", ""),
    "GET /configs/{}": ("", "", "success data config", ""),
    "PUT /configs/{}": ("", "name config status", "", ""),
    "DELETE /configs/{}": ("", "", "", ""),
    "GET /configs/{}/versions": ("", "", "", ""),
    "GET /guardrails": (f"{PAGE} workspace_id", "", "data", ""),
    "POST /guardrails": ("", "name checks actions workspace_id", "id slug version_id", ""),
    "GET /guardrails/{}": ("", "", "", ""),
    "PUT /guardrails/{}": ("", "name checks actions", "", ""),
    "DELETE /guardrails/{}": ("", "", "", ""),
    "GET /admin/organisation": ("", "", "api_key_metadata_schema workspace_metadata_schema", ""),
    "PUT /admin/organisation": ("", "api_key_metadata_schema workspace_metadata_schema", "", ""),
    "GET /admin/users": ("currentPage pageSize role email", "", LIST, USER),
    "GET /admin/users/{}": ("", "", USER, ""),
    "PUT /admin/users/{}": ("", "role", "", ""),
    "DELETE /admin/users/{}": ("", "", "", ""),
    "POST /admin/users/invites": ("", "email role workspaces workspace_api_key_details", "id invite_link", ""),
    "GET /admin/users/invites": ("role email status currentPage pageSize", "", LIST, "id email role status"),
    "GET /admin/users/invites/{}": ("", "", "id email role status", ""),
    "DELETE /admin/users/invites/{}": ("", "", "", ""),
    "POST /admin/users/invites/{}/resend": ("", "", "", ""),
    "POST /logs": ("", "request response metadata", "", ""),
    "GET /logs/{}": ("", "", "", ""),
    "GET /logs/exports": ("workspace_id", "", LIST, ""),
    "POST /logs/exports": ("", "filters requested_data workspace_id description", "id total object", ""),
    "GET /logs/exports/{}": ("", "", "status", ""),
    "PUT /logs/exports/{}": ("", "filters requested_data", "", ""),
    "POST /logs/exports/{}/start": ("", "", "", ""),
    "POST /logs/exports/{}/cancel": ("", "", "", ""),
    "GET /logs/exports/{}/download": ("", "", "signed_url", ""),
    "GET /analytics/graphs/{}": (FILTERS, "", "object summary data_points", ""),
    "GET /analytics/groups/metadata/{}": (f"{FILTERS} {PAGE} order_by order_by_type", "", LIST, ""),
    "GET /analytics/groups/{}": (f"{FILTERS} {PAGE} order_by order_by_type", "", LIST, ""),
    "GET /analytics/summary/cache": (FILTERS, "", "object summary", ""),
    "GET /audit-logs": (
        f"{PAGE} start_time end_time organisation_id method uri request_id user_id user_type workspace_id "
        "response_status_code resource_type action client_ip country",
        "",
        "records total object",
        "",
    ),
    "POST /feedback": ("", "trace_id value weight metadata", "status message feedback_ids", ""),
    "PUT /feedback/{}": ("", "value weight metadata", "", ""),
    "GET /model-configs/pricing/{}/{}": ("", "", "", ""),
}
CALLS: Final = (
    *("GET /models", "GET /models/@a/b", "POST /chat/completions", "POST /completions", "POST /embeddings"),
    *("POST /responses", "GET /responses/r", "DELETE /responses/r", "POST /messages", "POST /messages/count_tokens"),
    *("POST /rerank", "POST /images/generations", "POST /images/edits", "POST /images/variations"),
    *("POST /audio/speech", "POST /audio/transcriptions", "POST /audio/translations", "POST /moderations"),
    *("GET /files", "POST /files", "GET /files/f", "DELETE /files/f", "GET /files/f/content"),
    *("GET /batches", "POST /batches", "GET /batches/b", "POST /batches/b/cancel", "POST /prompts/p/completions"),
)


@pytest.fixture(scope="module", name="whole")
def the_document() -> Any:
    return document()


@pytest.mark.parametrize("row", ROWS)
def test_a_row_of_administration(whole: Any, row: str) -> None:
    """The operation, its query, the fields of its body and of its answer; ours may have more."""
    found = {re.sub(r"\{[^}]+\}", "{}", name).replace(" /v1/", " /"): each for name, each in operations(whole)}
    query, body, answer, items = (set(each.split()) for each in ROWS[row])
    operation = found[row]
    assert query <= {each["name"] for each in operation.get("parameters", ())}
    taken = operation.get("requestBody")
    assert body <= (fields(whole, json_of(whole, taken)).keys() if taken else set())
    shown = fields(whole, json_of(whole, operation["responses"]["200"]))
    assert answer <= shown.keys()
    assert items <= (fields(whole, shown["data"]).keys() if items else set())


@pytest.mark.parametrize("call", CALLS)
def test_a_row_of_calls(call: str) -> None:
    """With and without `/v1`."""
    method, path = call.split()
    for prefix in ("/v1", ""):
        endpoint = endpoint_for(prefix + path)
        assert endpoint is not None
        assert with_method(endpoint, method) is not None


def json_of(whole: Any, part: Any) -> Any:
    """Its schema."""
    return resolved(whole, part)["content"]["application/json"]["schema"]


def fields(whole: Any, schema: Any) -> dict[str, Any]:
    """Those of an object, of any that it may be, or of a list's items."""
    schema = resolved(whole, schema)
    found = dict(schema.get("properties", {}))
    for other in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        found |= fields(whole, other)
    return found | (fields(whole, schema["items"]) if "items" in schema else {})
