"""The Portkey SDK's analytics, logs, exports and feedback, as its documentation calls them."""

import time
from urllib.request import urlopen

from _told import ARGUMENTS, tell
from portkey_ai import Portkey

admin = Portkey(api_key=ARGUMENTS["admin_key"], base_url=ARGUMENTS["base_url"])
customer = Portkey(
    api_key=ARGUMENTS["key"],
    base_url=ARGUMENTS["base_url"],
    trace_id="analytics-trace",
    metadata={"purpose": "analytics", "_user": "ada"},
)
hello = [{"role": "user", "content": "hello there"}]
customer.chat.completions.create(model=ARGUMENTS["model"], messages=hello, max_tokens=100)

TIME = {"time_of_generation_min": "2026-01-01T00:00:00+00:00", "time_of_generation_max": "2126-01-01T00:00:00+00:00"}
MINE = {**TIME, "metadata": '{"purpose":"analytics"}', "workspace_slug": ARGUMENTS["workspace"]}


def graphs():
    """Each graph's summary, once the call is on record, which is a moment after its answer."""
    of = admin.analytics.graphs
    while not of.requests(**MINE).summary["total"]:
        pass
    named = {
        "requests": of.requests,
        "cost": of.cost,
        "latency": of.latency,
        "tokens": of.tokens,
        "users": of.users,
        "users_requests": of.users_requests,
        "errors": of.errors,
        "errors_rate": of.errors_rate,
        "errors_stacks": of.errors_stacks,
        "errors_status_codes": of.errors_status_codes,
        "requests_rescued": of.requests_rescued,
        "cache_hit_rate": of.cache_hit_rate,
        "cache_latency": of.cache_latency,
        "feedbacks": of.feedbacks,
        "feedbacks_scores": of.feedbacks_scores,
        "feedbacks_weighted": of.feedbacks_weighted,
        "feedbacks_ai_models": of.feedbacks_ai_models,
    }
    return {name: ask(**MINE).summary for name, ask in named.items()}


def groups():
    of = admin.analytics.groups
    return {
        "metadata": of.metadata(metadata_key="purpose", **TIME).data,
        "users": of.users(**MINE).data,
        "ai_models": of.ai_models(**MINE).data,
        "workspaces": of.workspaces(**MINE).data,
        "api_key": of.group_by(group_by="api_key", **MINE).data,
    }


def exported():
    made = admin.logs.exports.create(
        filters={"trace_id": "analytics-trace"}, requested_data=["id", "trace_id", "metadata"]
    )
    admin.logs.exports.start(export_id=made.id)
    while (shown := admin.logs.exports.retrieve(export_id=made.id)).status == "in_progress":
        time.sleep(0.1)  # why: the gateway writes it
    link = admin.logs.exports.download(export_id=made.id).signed_url
    with urlopen(link) as answer:
        text = answer.read().decode()
    listed = [each["id"] for each in admin.logs.exports.list().data]
    admin.logs.exports.cancel(export_id=made.id)
    return {"status": shown.status, "total": shown.total_records, "text": text, "listed": made.id in listed}


given = customer.feedback.create(trace_id="analytics-trace", value=1, weight=0.5, metadata={"a": "b"})
tell(
    graphs=graphs(),
    groups=groups(),
    exported=exported(),
    summary=admin.analytics.summary.cache(**MINE).summary,
    feedback=[given.status, len(given.feedback_ids)],
    sent=admin.logs.create(request={"url": "u"}, response={"body": {}}, metadata={"trace_id": "t"}).json()["status"],
)
