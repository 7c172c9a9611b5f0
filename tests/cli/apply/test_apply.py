"""`headgate apply` against a running server: once, again, with one figure changed, and through `kill -9`."""

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from headgate.base.errors import Unavailable
from headgate.cli.administrator import Administrator
from headgate.cli.apply.carrying import SECRETS, carry_out
from headgate.cli.apply.live import Live
from headgate.cli.apply.plan import plan
from headgate.cli.apply.platform import declared
from headgate.cli.apply.shown import told
from headgate.cli.apply.source import parsed
from headgate.cli.apply.step import Step
from headgate.settings import load
from headgate.tenancy import keys
from tests.cli.apply.test_platform import ENVIRONMENT, EXAMPLE
from tests.support.command import Ran, headgate
from tests.support.gateway import ADDRESS, Gateway, started
from tests.support.processes import running

NOTHING = "Nothing to change: all 17 are as they are declared.\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with started(tmp_path_factory.mktemp("apply")) as running_gateway:
        yield running_gateway


async def apply(gateway: Gateway, directory: Path, text: str, *options: str) -> Ran:
    (directory / "platform.yaml").write_text(text)
    environment = {"HEADGATE_URL": gateway.url, "HEADGATE_ADMIN_KEY": gateway.admin_key, **ENVIRONMENT}
    return await headgate("apply", "-f", "platform.yaml", *options, cwd=directory, env=environment)


async def test_the_example_from_nothing(gateway: Gateway, tmp_path: Path) -> None:
    """A dry run changes nothing; applied, all is there and works; applied again, there is nothing to do; of one figure
    that is changed one change is shown; what the file does not name stays; no credential is printed."""
    dry = await apply(gateway, tmp_path, EXAMPLE, "--dry-run")
    assert dry.code == 2
    assert "16 to create, 1 to change, 0 as they are." in dry.out
    assert len(gateway.admin("GET", "/admin/workspaces")["data"]) == 1
    unasked = await apply(gateway, tmp_path, EXAMPLE)
    assert (unasked.code, "--yes" in unasked.err) == (1, True)

    first = await apply(gateway, tmp_path, EXAMPLE, "--yes", "--keys-file", "keys.jsonl")
    assert first.code == 0, first.err
    kept = [json.loads(line) for line in (tmp_path / "keys.jsonl").read_text().splitlines()]
    assert stat.S_IMODE((tmp_path / "keys.jsonl").stat().st_mode) == 0o600
    secrets = [each[next(name for name in SECRETS if name in each)] for each in kept]
    assert not any(secret in first.out + dry.out for secret in [*secrets, *ENVIRONMENT.values()])
    ada = next(each for each in kept if "ada@example.com" in each["of"])
    assert ada["of"] == "key Service Key for ada@example.com of workspace-professional"
    own = gateway.post("/v1/chat/completions", {"model": "gpt-3.5-turbo", "messages": []}, ada["key"])
    assert own.json["error"]["type"] != "authentication_error"

    again = await apply(gateway, tmp_path, EXAMPLE, "--yes")
    assert (again.code, again.out) == (0, NOTHING)
    assert (await apply(gateway, tmp_path, EXAMPLE, "--dry-run")).code == 0

    gateway.workspace("not in the file")
    changed = EXAMPLE.replace("credit_limit: 100, alert", "credit_limit: 120, alert")
    shown = await apply(gateway, tmp_path, changed, "--yes")
    assert shown.out.splitlines()[:-1] == [
        "~ workspaces of integration openai-prod",
        "    workspaces[workspace-professional].usage_limits[0].credit_limit: 100 -> 120",
        "0 to create, 1 to change, 16 as they are.",
    ]
    assert (await apply(gateway, tmp_path, changed, "--dry-run")).out == NOTHING
    slugs = [each["slug"] for each in gateway.admin("GET", "/admin/workspaces")["data"]]
    assert any(slug.startswith("not-in-the-file") for slug in slugs)


FIELDS: Mapping[str, tuple[str, str, str]] = {
    "schema": ("enum: [starter,", "enum: [free, starter,", "subscription_tier.enum"),
    "metadata": ("support_level: premium", "support_level: basic", "defaults.metadata.support_level"),
    "link": ("config_id: patient", "config_id: null", "defaults.config_id"),
    "model": ("- slug: gpt-4o-mini", "- {slug: gpt-4o-mini, enabled: false}", "enabled: true -> false"),
    "provider": ("credit_limit: 50,", "credit_limit: 51,", "usage_limits[0].credit_limit: 50 -> 51"),
    "guardrail": ("models: [gpt-4o-mini]", "models: [gpt-4o]", "checks[0].parameters.models"),
    "config": ("attempts: 3", "attempts: 4", "config.retry.attempts: 3 -> 4"),
    "tenant": ("monthly_budget_usd: 500", "monthly_budget_usd: 400.5", "monthly_budget_usd: 500 -> 400.5"),
    "downgrade": ("{at: 0.9", "{at: 0.8", "downgrade.at: 0.9 -> 0.8"),
    "person": ("role: manager}]\n    tenants", "role: member}]\n    tenants", '"manager" -> "member"'),
    "key": ("alert_threshold: 20}", "alert_threshold: 21}", "usage_limits[0].alert_threshold: 20 -> 21"),
    "policy": ("value: 200000", "value: 100000", "value: 200000 -> 100000"),
    "webhook": ("types: [budget.threshold_reached, key.exhausted]", "types: [key.exhausted]", "types"),
    "credential": ("{env: OPENAI_API_KEY}", "{env: ANTHROPIC_API_KEY}", "key: "),
}  # fmt: skip


def steps(gateway: Gateway, text: str) -> tuple[list[Step], Administrator, Live]:
    settings = load({"HEADGATE_URL": gateway.url, "HEADGATE_ADMIN_KEY": gateway.admin_key}, {})
    administrator = Administrator(settings)
    live = Live(administrator)
    return plan(declared(parsed(text), ENVIRONMENT), live), administrator, live


def made(gateway: Gateway, text: str) -> list[Step]:
    """What was done, after which there is nothing left to do."""
    planned, administrator, live = steps(gateway, text)
    carry_out(planned, administrator, live.names, lambda secret: None)
    left = [list(told(steps(gateway, text)[0], 17))]
    assert left == [[NOTHING.strip()]]
    return planned


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with started(tmp_path_factory.mktemp("applied")) as running_gateway:
        made(running_gateway, EXAMPLE)
        yield running_gateway


@pytest.mark.parametrize("field", FIELDS)
def test_one_figure_is_one_change(applied: Gateway, field: str) -> None:
    """Of every noun: shown as one line."""
    before, after, what = FIELDS[field]
    assert before in EXAMPLE
    planned, _, _ = steps(applied, EXAMPLE.replace(before, after, 1))
    lines = [line for line in told(planned, 17) if line.startswith("    ")]
    assert len(lines) == 1, lines
    assert what in lines[0]


def test_all_of_them_there_and_back(applied: Gateway) -> None:
    """Made, all is as the file says; and so it is with the file of before."""
    changed = EXAMPLE
    for before, after, _ in FIELDS.values():
        changed = changed.replace(before, after, 1)
    assert len(made(applied, changed)) >= len(FIELDS) - 2  # some are of one object
    made(applied, EXAMPLE)


async def test_what_cannot_be_is_refused_before_anything_changes(applied: Gateway, tmp_path: Path) -> None:
    """A workspace that is nowhere; what stays: a provider's kind, a tenant's workspace, a key's tenant."""
    last = applied.admin("GET", "/audit-logs?page_size=1")["total"]
    for before, after, why in (
        ("workspace_id: workspace-starter", "workspace_id: workspace-startr", "no workspace `workspace-startr`"),
        ("ai_provider_id: openai", "ai_provider_id: anthropic", "`integrations[0].ai_provider_id`: cannot be changed"),
        ("Corporation\n    workspace_id: workspace-enterprise", "Corporation\n    workspace_id: workspace-starter",
            "`tenants[0].workspace_id`: cannot be changed"),
        ("tenant_id: acme-corp\n    scopes", "tenant_id: null\n    scopes", "`keys[0].tenant_id`: cannot be changed"),
        ("unit: rpm, value: 10}", "unit: rpx, value: 10}", "must be one of rps, rpm"),
    ):  # fmt: skip
        ran = await apply(applied, tmp_path, EXAMPLE.replace(before, after, 1), "--yes")
        assert (ran.code, ran.out) == (1, "")
        assert why in ran.err
        assert re.match(r"headgate: line \d+: ", ran.err)
    assert applied.admin("GET", "/audit-logs?page_size=1")["total"] == last


async def test_secrets_are_not_written_where_others_read(applied: Gateway, tmp_path: Path) -> None:
    """A keys file with wider rights is refused, and nothing is made."""
    (tmp_path / "keys.jsonl").touch(0o644)
    more = EXAMPLE.replace("ada@example.com", "eve@example.com")
    ran = await apply(applied, tmp_path, more, "--yes", "--keys-file", "keys.jsonl")
    assert ran.code == 1
    assert "chmod 600" in ran.err
    assert "eve@example.com" not in json.dumps(applied.admin("GET", "/api-keys"))


class Mortal(Administrator):
    """Kills the server at its Nth change: `before` it is asked, or when it has answered and the answer is lost."""

    def __init__(self, gateway: Gateway, left: int, *, before: bool) -> None:
        super().__init__(load({"HEADGATE_URL": gateway.url, "HEADGATE_ADMIN_KEY": gateway.admin_key}, {}))
        self._gateway, self._left, self._before = gateway, left, before

    def _exchange(self, method: str, path: str, body: bytes, more: Mapping[str, str]) -> tuple[int, bytes]:
        if method == "GET":
            return super()._exchange(method, path, body, more)
        self._left -= 1
        if self._left == 0 and not self._before:
            super()._exchange(method, path, body, more)
        if self._left == 0:
            self._gateway.process.kill()
            self._gateway.process.wait()
        return super()._exchange(method, path, body, more)


def test_a_server_that_is_killed_in_the_middle(tmp_path: Path) -> None:
    """Killed before and after changes, started again: the next run goes on, nothing is there twice, and at the end all
    is as it would have been."""
    data_dir = tmp_path / "data"
    admin_key = keys.mint(os.urandom(keys.PEPPER_BYTES)).text
    serve = ("serve", "--port", "0", "--data-dir", data_dir)
    objects = declared(parsed(EXAMPLE), ENVIRONMENT)
    for number, (left, before) in enumerate([(3, True), (6, False), (9, False), (99, True)]):
        with running(serve, tmp_path / f"{number}.log", ADDRESS, {"HEADGATE_ADMIN_KEY": admin_key}) as (
            process,
            address,
        ):
            gateway = Gateway(address[1], data_dir, admin_key, process, "", tmp_path)
            administrator = Mortal(gateway, left, before=before)
            live = Live(administrator)
            planned = plan(objects, live)
            if left < 99:
                with pytest.raises(Unavailable):
                    carry_out(planned, administrator, live.names, lambda secret: None)
                continue
            assert planned
            carry_out(planned, administrator, live.names, lambda secret: None)
            assert not plan(objects, Live(administrator))
            names = [each["name"] for each in gateway.admin("GET", "/api-keys")["data"]]
            assert len(names) == len(set(names)) == 4
