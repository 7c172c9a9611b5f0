"""The multi-tenant guide from its first step to its last, with the Portkey SDK, on an installation of its own."""

from pathlib import Path

from headgate.base.clock import NANOS_PER_SECOND, SystemClock
from headgate.tenancy.moments import to_iso
from tests.support.gateway import PROVIDERS, started
from tests.support.sdk import run_script

TIERS = ("enterprise", "professional", "starter")
ECHO = "You said: hello there"


def hour_from_now(hours: int) -> int:
    return SystemClock().now() + hours * 3_600 * NANOS_PER_SECOND


def ids(*names: str) -> list[str]:
    return [f"@openai-prod/{name}" for name in names]


def test_the_guide(tmp_path: Path) -> None:
    """Schemas hold, customers see and reach exactly their models, nobody spoofs a tier; limits show what is used and
    left; the figures of step 6 are those of the calls; policies, rotation and the audit log are there."""
    with started(tmp_path) as gateway:
        arguments = {"base_url": f"{gateway.url}/v1", "admin_key": gateway.admin_key}
        host = gateway.simulator + PROVIDERS["openai"][1]
        found = run_script("portkey-ai", "guide_setup.py", **arguments, host=host)
        assert found["organization"]
        assert found["workspaces"] == {
            "refused": [400, True],
            "listed": [[True, f"workspace-{tier}", f"workspace-{tier}"] for tier in TIERS],
            "metadata": {"tier": "enterprise", "default_monthly_budget": "500", "support_level": "premium"},
            "budget": 400,
        }
        assert found["providers"] == {
            "masked": "sk-…0001",
            "given": {
                "workspace-enterprise": [500, 1000],
                "workspace-professional": [100, 100],
                "workspace-starter": [25, 10],
            },
        }
        assert found["keys"] == {"refused": [400, True], "wrong": [400, True], "objects": ["api-key"]}
        assert found["customers"] == {
            "starter": {"ids": ids("sim-fast", "sim-huge", "sim-slow"), "said": ECHO},
            "professional": {"ids": ids("sim-fast"), "said": ECHO},
            "enterprise": {"ids": ids("sim-fast", "sim-slow"), "said": ECHO},
            "spoofed": 446,
            "not provisioned": 412,
        }
        for request_id in gateway.bills():
            gateway.record(request_id)

        starter_key = found["secrets"]["starter"]
        window = {"since": to_iso(hour_from_now(-1)), "until": to_iso(hour_from_now(1))}
        seen = run_script("portkey-ai", "guide_observe.py", **arguments, **window, starter_key=starter_key)
        lines = [
            "API Key: Service Key for ada@example.com",
            "Rate Limit: 100 rpm",
            "Usage Limit: $100 monthly",
            "Alert Threshold: 80",
        ]
        assert seen["limits"] == [lines, [True, True, True]]
        assert seen["nobody"] == [[], None]
        figures = seen["analytics"]
        assert figures["requests"][0] == "analytics-graph"
        assert figures["requests"][2]
        assert all(figures["tiers"][tier] >= 1 for tier in TIERS)
        assert figures["models"] == ["sim-fast"]
        assert [figures[name] for name in ("cost", "latency", "tokens")] == [True, True, True]
        assert seen["policies"] == {
            "made": ["policy_usage_limits", "policy_rate_limits"],
            "credit_limit": 10,
            "status": "active",
        }
        assert seen["rotation"] == {"same": True, "new": True, "until": True, "both": [True, True], "again": 409}
        assert seen["audit"]["total"]
        assert seen["audit"]["uri"]
        assert {"create", "update", "rotate"} <= set(seen["audit"]["actions"])
