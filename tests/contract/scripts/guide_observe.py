"""The multi-tenant guide after calls were made: a customer's limits, analytics, policies, rotation, the audit log."""

import json
import os

from _told import ARGUMENTS, failure, tell

os.environ["PORTKEY_PROXY"] = ARGUMENTS["base_url"]

from portkey_ai import Portkey

portkey = Portkey(api_key=ARGUMENTS["admin_key"])
SINCE, UNTIL = ARGUMENTS["since"], ARGUMENTS["until"]
hello = [{"role": "user", "content": "hello there"}]


def get_user_limits(workspace_slug, user_email):
    """Step 5, the script's walk through the list, with what the guide leaves out: what was used and what is left."""
    api_keys = portkey.api_keys.list(workspace_id=workspace_slug)
    lines = []
    for key in api_keys.get("data", []):
        metadata = key.get("defaults", {}).get("metadata") or key.get("metadata")
        if metadata and isinstance(metadata, dict) and metadata.get("user_email") == user_email:
            lines.append(f"API Key: {key.get('name')}")
            lines += [f"Rate Limit: {limit['value']} {limit['unit']}" for limit in key.get("rate_limits", [])]
            usage = key.get("usage_limits") or {}
            lines.append(f"Usage Limit: ${usage.get('credit_limit')} {usage.get('periodic_reset')}")
            lines.append(f"Alert Threshold: {usage.get('alert_threshold')}")
            used, left = usage.get("current_usage"), usage.get("remaining")
            return lines, [used > 0, round(used + left, 9) == usage["credit_limit"], bool(usage["next_usage_reset_at"])]
    return lines, None


def analytics():
    """Step 6: how much, by whom, of which tier, and what went wrong."""
    when = {"time_of_generation_min": SINCE, "time_of_generation_max": UNTIL}
    graphs = portkey.analytics.graphs
    requests = graphs.requests(**when)
    cost = graphs.cost(workspace_slug="workspace-professional", **when)
    one = graphs.requests(metadata=json.dumps({"user_email": "ada@example.com"}), **when)
    groups = portkey.analytics.groups
    tiers = groups.metadata(metadata_key="subscription_tier", **when)
    return {
        "requests": [requests.object, requests.summary["total"], bool(requests.data_points)],
        "cost": cost.summary["total"] > 0,
        "errors": graphs.errors(**when).summary["total"],
        "statuses": graphs.errors_status_codes(**when).object,
        "latency": graphs.latency(**when).summary["p50"] > 0,
        "tokens": graphs.tokens(**when).summary["total"] > 0,
        "of one customer": one.summary["total"],
        "tiers": {each["metadata_value"]: each["requests"] for each in tiers.data},
        "models": sorted(each["ai_model"] for each in groups.ai_models(**when).data),
        "keys": len(groups.group_by(group_by="api_key", **when).data),
    }


def policies():
    """A budget for each customer of a tier, through the SDK's plain methods."""
    made = portkey.post(
        "/policies/usage-limits",
        name="each customer",
        conditions=[{"key": "workspace_id", "value": "workspace-starter"}],
        group_by=[{"key": "metadata.user_email"}],
        type="cost",
        credit_limit=10,
        periodic_reset="monthly",
    )
    rated = portkey.post(
        "/policies/rate-limits",
        name="tokens of each key",
        group_by=[{"key": "api_key"}],
        type="tokens",
        unit="rpm",
        value=100_000,
    )
    found = portkey.get(path=f"/policies/usage-limits/{made.id}").json()
    return {"made": [made.object, rated.object], "credit_limit": found["credit_limit"], "status": found["status"]}


def rotation():
    """Both secrets are good; what the key used stays."""
    listed = portkey.api_keys.list(workspace_id="workspace-starter").data
    (key,) = (each for each in listed if each["name"].endswith("bob@example.com"))
    made = portkey.post(f"/api-keys/{key['id']}/rotate", key_transition_period_ms=1_800_000)

    def works(secret):
        client = Portkey(api_key=secret)
        return client.chat.completions.create(model="@openai-prod/sim-fast", messages=hello, max_tokens=100).model

    again = failure(lambda: portkey.post(f"/api-keys/{key['id']}/rotate"), Exception)
    return {
        "same": made.id == key["id"],
        "new": made.key != ARGUMENTS["starter_key"],
        "until": bool(made.key_transition_expires_at),
        "both": [bool(works(made.key)), bool(works(ARGUMENTS["starter_key"]))],
        "again": again["status"],
    }


def audit():
    """Who changed what: every mutation above."""
    organisation = portkey.get(path="/admin/organisation").json()["id"]
    query = (
        f"start_time={SINCE.replace('+', '%2B')}&end_time={UNTIL.replace('+', '%2B')}&organisation_id={organisation}"
    )
    found = portkey.get(path=f"/audit-logs?{query}&page_size=100").json()
    records = found["records"]
    return {
        "total": found["total"] >= len(records) > 10,
        "resources": sorted({each["resource_type"] for each in records}),
        "actions": sorted({each["action"] for each in records}),
        "by a key": all(each["user_type"] == "api_key" for each in records if each["method"]),
        "uri": any(each["uri"].endswith("/integrations") and each["method"] == "POST" for each in records),
    }


tell(
    limits=get_user_limits("workspace-professional", "ada@example.com"),
    nobody=get_user_limits("workspace-professional", "nobody@example.com"),
    analytics=analytics(),
    policies=policies(),
    rotation=rotation(),
    audit=audit(),
)
