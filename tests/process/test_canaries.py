"""No secret in the clear: a gateway at its most talkative is given canaries of every kind, and everything that it keeps
or says is searched for them."""

import base64
import json
import os
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from headgate.base.clock import NANOS_PER_SECOND, SystemClock
from headgate.tenancy import keys
from headgate.tenancy.moments import to_iso
from tests.support.gateway import Gateway, Provider, started
from tests.support.http import Answer, call

WRITTEN_WITHIN_S = 30
METRICS_TOKEN = "canary-metrics-token-4711"
SMTP_PASSWORD = "canary-smtp-password-4711"
PROVIDER_KEY = "sk-canary-provider-key-4711"
NEW_PROVIDER_KEY = "unusual.canary.credential.4712"
HEADER = "canary-header-value-4711"
PROMPT = "canary-prompt-4711 which nobody else may read"


@contextmanager
def gossip() -> Iterator[str]:
    """A provider that refuses, and repeats in its refusal all that it was sent, credential and all."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            message = f"Incorrect API key provided: {self.headers['authorization']}; you sent {body}"
            answer = json.dumps({"error": {"message": message, "type": "x", "code": str(dict(self.headers))}}).encode()
            self.send_response(400)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()


@dataclass(slots=True)
class Session:
    """`canaries` are the secrets by what they are; `said` is what the gateway answered where it must not say them."""

    gateway: Gateway
    canaries: dict[str, str] = field(default_factory=dict)
    said: list[tuple[str, bytes]] = field(default_factory=list)

    def admin(self, method: str, path: str, body: object = None, *, may_tell: str | None = None) -> Any:
        """An administrator's request. `may_tell` names the field that is shown in this one answer."""
        answer = call(method, f"{self.gateway.url}/v1{path}", body, {"x-portkey-api-key": self.gateway.admin_key})
        if may_tell is None:
            self.said.append((f"{method} {path}", answer.body))
            return answer.json
        assert answer.status == 200, answer.body
        return answer.json

    def post(self, path: str, body: object, key: str) -> Answer:
        answer = self.gateway.post(path, body, key)
        self.said.append((f"POST {path} {answer.status}", repr(answer.headers).encode()))
        return answer


def spellings(secret: str) -> Iterator[bytes]:
    """As it is, and as it might be hidden from a careless search."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield urllib.parse.quote(secret, safe="").encode()
    for start in range(3):  # whatever stands before it
        coded = base64.b64encode(b"x" * start + raw)
        yield coded[4 if start else 0 : len(coded) // 4 * 4 - 4]


def administered(session: Session) -> tuple[str, str]:
    """A workspace with everything that holds a secret; the texts of two keys."""
    gateway = session.gateway
    workspace = gateway.workspace("canaries")
    session.admin(
        "PUT",
        "/integrations/openai",
        {"key": PROVIDER_KEY, "configurations": {"custom_headers": {"x-secret": HEADER}}},
    )
    session.admin("PUT", "/integrations/openai", {"key": NEW_PROVIDER_KEY})
    models = [{"slug": "own", "enabled": True, "is_custom": True, "configurations": {
        "custom_host": f"{gateway.simulator}/v1", "custom_headers": {"x-model-secret": HEADER}}}]  # fmt: skip
    session.admin("PUT", "/integrations/openai/models", {"models": models})
    for slug in ("openai", "anthropic", "gemini", "gossip"):
        session.admin("PUT", f"/integrations/{slug}/workspaces", {"workspaces": [{"id": workspace, "enabled": True}]})
    made = session.admin(
        "POST",
        "/api-keys/workspace/service",
        {"name": "c", "workspace_id": workspace, "scopes": ["completions.write", "analytics.view", "logs.view"]},
        may_tell="key",
    )
    rotated = session.admin("POST", f"/api-keys/{made['id']}/rotate", {}, may_tell="key")
    virtual = {"name": "v", "provider": "openai", "key": PROVIDER_KEY, "workspace_id": workspace}
    session.admin("POST", "/virtual-keys", virtual)
    hook = {"url": "https://hooks.example.com/x", "workspace_id": workspace}
    webhook = session.admin("POST", "/admin/webhooks", hook, may_tell="secret")
    renewed = session.admin("PUT", f"/admin/webhooks/{webhook['id']}", {"rotate_secret": True}, may_tell="secret")
    invite = {"email": "canary@example.com", "role": "member"}
    invited = session.admin("POST", "/admin/users/invites", invite, may_tell="invite_link")
    token = invited["invite_link"].partition("token=")[2]
    session.canaries |= {
        "admin key": gateway.admin_key.split("_")[2],
        "customer's key": made["key"].split("_")[2],
        "rotated key": rotated["key"].split("_")[2],
        "webhook secret": webhook["secret"].removeprefix("whsec_"),
        "renewed webhook secret": renewed["secret"].removeprefix("whsec_"),
        "invite token": token,
        "provider key": PROVIDER_KEY,
        "new provider key": NEW_PROVIDER_KEY,
        "header": HEADER,
        "metrics token": METRICS_TOKEN,
        "SMTP password": SMTP_PASSWORD,
    }
    accepted = {"token": token, "first_name": "Canary"}
    answer = call("POST", f"{gateway.url}/v1/admin/users/invites/accept", accepted)
    assert answer.status == 200, answer.body
    return made["key"], rotated["key"]


def called(session: Session, old: str, new: str) -> None:
    """Calls that succeed, in every format, plain and streamed, and calls that fail in every way."""
    prompt = {"messages": [{"role": "user", "content": PROMPT}], "max_tokens": 50}
    for key, model in ((old, "@openai/sim-fast"), (new, "@anthropic/sim-fast"), (new, "@gemini/sim-fast")):
        assert session.post("/v1/chat/completions", {"model": model, **prompt}, key).status == 200
        assert session.post("/v1/messages", {"model": model, **prompt, "stream": True}, key).status == 200
    failed = [
        session.post("/v1/chat/completions", {"model": "@openai/sim-529", **prompt}, new),
        session.post("/v1/chat/completions", {"model": "@openai/nothing", **prompt}, new),
        session.post("/v1/chat/completions", {"model": "@openai/sim-fast", "messages": PROMPT}, new),
        session.post("/v1/chat/completions", b'{"messages": ["' + PROMPT.encode(), new),
        session.post("/v1/chat/completions", {"model": "@openai/sim-fast", **prompt}, new[:-3] + "abc"),
        session.post(f"/v1/nowhere/{new}", {}, new),
        session.post("/v1/admin/workspaces", {"name": new}, new),
    ]
    assert all(answer.status >= 400 for answer in failed)
    session.said += [(f"failed call {number}", answer.body) for number, answer in enumerate(failed)]
    gossiped = session.post("/v1/chat/completions", {"model": "@gossip/sim-fast", **prompt}, new)
    assert gossiped.status == 400
    # The customer's own words may come back to him; credentials may not.
    session.said.append(("a provider's gossip", gossiped.body.replace(PROMPT.encode(), b"")))
    wrong = {"name": {"x": new}, "ai_provider_id": [PROVIDER_KEY], "key": {"x": PROVIDER_KEY}}
    session.admin("POST", "/integrations", wrong)
    session.admin("PUT", "/integrations/openai", {"key": f"{NEW_PROVIDER_KEY}\n"})
    session.admin("PUT", "/integrations/openai", {"configurations": {"custom_headers": {"host": HEADER}}})
    session.admin("POST", "/api-keys/workspace/service", {"name": "c", "scopes": [PROVIDER_KEY]})


def looked_at(session: Session) -> None:
    """Every list, the audit log, the exports in both forms, and the metrics."""
    url = session.gateway.url
    for path in ("api-keys", "integrations", "integrations/openai", "integrations/openai/models", "virtual-keys",
                 "admin/webhooks", "admin/users", "admin/users/invites", "admin/organisation", "configs", "providers",
                 "audit-logs?page_size=100", "logs/exports"):  # fmt: skip
        session.admin("GET", f"/{path}")
    now = SystemClock().now()
    window = {"time_of_generation_min": to_iso(now - 3_600 * NANOS_PER_SECOND), "time_of_generation_max": to_iso(now)}
    for form in ("csv", "jsonl"):
        made = session.admin("POST", "/logs/exports", {"filters": window, "format": form, "requested_data": REQUESTED})
        session.admin("POST", f"/logs/exports/{made['id']}/start")
        path = f"/logs/exports/{made['id']}"
        deadline = time.monotonic() + WRITTEN_WITHIN_S
        while session.admin("GET", path)["status"] == "in_progress" and time.monotonic() < deadline:
            time.sleep(0.05)  # why: another process writes it
        link = session.admin("GET", f"{path}/download")["signed_url"]
        exported = call("GET", link)
        assert exported.status == 200
        assert len(exported.body.splitlines()) > 6
        session.said.append((f"{form} export", exported.body))
    metrics = call("GET", f"{url}/metrics", None, {"authorization": f"Bearer {METRICS_TOKEN}"})
    assert metrics.status == 200
    session.said += [("metrics", metrics.body), ("no metrics", call("GET", f"{url}/metrics").body)]


REQUESTED = [
    "id",
    "trace_id",
    "created_at",
    "request",
    "response",
    "ai_model",
    "cost",
    "response_status_code",
    "metadata",
]


def kept(directory: Path) -> Iterator[tuple[str, bytes]]:
    """All that is on disk but the master key and what the upstream itself keeps."""
    for path in sorted(directory.rglob("*")):
        if path.is_file() and "simulator" not in path.name and "master" not in path.name:
            yield f"file {path.name}", path.read_bytes()


def test_no_canary_is_found_in_the_clear(tmp_path: Path) -> None:
    """Keys, provider keys, prompts, webhook secrets, passwords, invite tokens: not in logs at debug, metrics, errors,
    lists, the audit log, exports, the journal or the database, as they are or in hex, base64 or a URL."""
    settings = {
        "HEADGATE_LOG_LEVEL": "debug",
        "HEADGATE_METRICS_TOKEN": METRICS_TOKEN,
        "HEADGATE_SMTP_URL": f"smtp://canary:{SMTP_PASSWORD}@127.0.0.1:1",
        "HEADGATE_SMTP_FROM": "gateway@example.com",
    }
    with gossip() as upstream, started(tmp_path, settings) as gateway:
        session = Session(gateway)
        for slug, kind, base_url in (
            ("openai", "openai", f"{gateway.simulator}/v1"),
            ("anthropic", "anthropic", f"{gateway.simulator}/v1"),
            ("gemini", "google", f"{gateway.simulator}/v1beta"),
            ("gossip", "openai", upstream),
        ):
            gateway.integrate(Provider(slug, kind, base_url, ["sim-fast", "sim-529"]), [])
        gateway.admin("PUT", "/integrations/gossip", {"key": PROVIDER_KEY})
        old, new = administered(session)
        called(session, old, new)
        for request_id in gateway.bills():
            gateway.record(request_id)
        looked_at(session)
        running = list(kept(tmp_path))
    ended = [*running, *kept(tmp_path)]
    assert any(name == "file gateway.log" and b'"event": "listening"' in text for name, text in ended), "no log"
    found = [
        f"{what} in {where}"
        for what, secret in {**session.canaries, "prompt": "canary-prompt-4711"}.items()
        for where, text in [*session.said, *ended]
        if any(spelling in text for spelling in spellings(secret))
    ]
    assert not found


def test_the_search_finds_what_is_there() -> None:
    """In every spelling, whatever stands before and after it."""
    secret = keys.mint(os.urandom(keys.PEPPER_BYTES)).text
    for hidden in (
        secret.encode(),
        secret.encode().hex().encode(),
        base64.b64encode(f"user:{secret}@".encode()),
        base64.b64encode(f"ab{secret}".encode()),
        base64.b64encode(f"abc{secret}x".encode()),
    ):
        assert any(spelling in b"before " + hidden + b" after" for spelling in spellings(secret))
