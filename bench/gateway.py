"""A gateway for the benchmarks, set up through its own door, with its key."""

import http.client
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.peers.subject import Subject
from bench.rig import MEASURED, free_port, process
from headgate.tenancy import keys

PRICE = {"pay_as_you_go": {"request_token": {"price": 0.00025}, "response_token": {"price": 0.001}}, "type": "static"}
"""US cents per token: $2.50 and $10 per million."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """`key` may call `@bench/bench` and `@translated/bench`; `admin` may do everything else."""

    port: int
    pid: int
    admin: str
    key: str

    @property
    def subject(self) -> Subject:
        """Everything on, the provider speaking the client's language."""
        return Subject("Headgate", version("headgate"), self.port, self.pid, "@bench/bench", self.headers)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
        """One administration call; raises on anything but a 2xx."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"x-portkey-api-key": self.admin, "content-type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{method} {path}: {answer.status} {text!r}")
            loaded: dict[str, object] = json.loads(text)
            return loaded
        finally:
            connection.close()


@contextmanager
def running_gateway(
    data_dir: Path, upstream: int, environment: Mapping[str, str] | None = None, scheme: str = "http"
) -> Iterator[Gateway]:
    """`headgate serve` on a core of its own, its integrations pointing at the mock on port `upstream`."""
    port, admin = free_port(), keys.mint(os.urandom(32), os.urandom).text
    command: list[str | Path] = [
        Path(sys.executable).parent / "headgate",
        "serve",
        "--port",
        str(port),
        "--data-dir",
        data_dir,
    ]
    with process(
        command, MEASURED, port, {"HEADGATE_ADMIN_KEY": admin, "HEADGATE_LOG_LEVEL": "error", **(environment or {})}
    ) as running:
        gateway = Gateway(port, running.pid, admin, "")
        yield Gateway(port, running.pid, admin, _set_up(gateway, upstream, scheme))


def _set_up(gateway: Gateway, upstream: int, scheme: str = "http") -> str:
    """A workspace, a tenant and a key with budgets and limits, and two integrations on the same mock: eight allowances
    for each call, and one provider that speaks the client's language and one that does not."""
    usage = [{"type": "cost", "credit_limit": 1_000_000, "periodic_reset": "monthly"}]
    rates = [{"type": "requests", "unit": "rpm", "value": 100_000_000}]
    gateway.ask("POST", "/v1/admin/workspaces", {"name": "bench", "usage_limits": usage})
    for slug, provider, base in (("bench", "openai", "/v1"), ("translated", "anthropic", "/v1")):
        integration = {
            "name": slug,
            "slug": slug,
            "ai_provider_id": provider,
            "key": "sk-bench",
            "configurations": {"custom_host": f"{scheme}://localhost:{upstream}{base}"},
        }
        gateway.ask("POST", "/v1/integrations", integration)
        workspace = {"id": "bench", "enabled": True, "usage_limits": usage}
        gateway.ask("PUT", f"/v1/integrations/{slug}/workspaces", {"workspaces": [workspace]})
        model = {"slug": "bench", "enabled": True, "is_custom": True, "pricing_config": PRICE}
        gateway.ask("PUT", f"/v1/integrations/{slug}/models", {"allow_all_models": False, "models": [model]})
    tenant = {
        "tenant_id": "bench",
        "name": "bench",
        "workspace_id": "bench",
        "max_requests_per_minute": 100_000_000,
        "max_tokens_per_day": 10_000_000_000_000,
        "monthly_budget_usd": 1_000_000,
    }
    gateway.ask("POST", "/v1/admin/tenants", tenant)
    key = {
        "name": "bench",
        "workspace_id": "bench",
        "tenant_id": "bench",
        "scopes": ["completions.write"],
        "usage_limits": usage[0],
        "rate_limits": [*rates, {"type": "tokens", "unit": "rpm", "value": 10_000_000_000}],
    }
    return str(gateway.ask("POST", "/v1/api-keys/workspace/service", key)["key"])
