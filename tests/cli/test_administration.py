"""The administration commands, against a running server: from nothing to a call that can be explained."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Ran, headgate
from tests.support.gateway import Gateway, started


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with started(tmp_path_factory.mktemp("gateway")) as running_gateway:
        yield running_gateway


async def run(gateway: Gateway, *arguments: str, stdin: str = "", **env: str) -> Ran:
    environment = {"HEADGATE_URL": gateway.url, "HEADGATE_ADMIN_KEY": gateway.admin_key, **env}
    return await headgate(*arguments, cwd=gateway.data_dir.parent, env=environment, stdin=stdin)


async def done(gateway: Gateway, *arguments: str, stdin: str = "", **env: str) -> str:
    """Standard output of a command that must succeed."""
    ran = await run(gateway, *arguments, stdin=stdin, **env)
    assert ran.code == 0, ran.err
    return ran.out


async def test_the_way_of_the_readme(gateway: Gateway) -> None:
    """Integration, workspace, provisioning, key, a call, and its cost explained: each with one command."""
    base = ("--base-url", f"{gateway.simulator}/v1")
    added = await done(gateway, "integrations", "add", "openai", "--from-env", *base, OPENAI_API_KEY="sk-from-the-env")
    assert added == "openai\n"
    listed = await done(gateway, "integrations", "list")
    assert "openai" in listed
    assert "sk-from" not in listed
    assert await done(gateway, "workspaces", "create", "Professional", "--metadata", "tier=pro") == "professional\n"
    assert "professional" in await done(gateway, "workspaces", "list")
    assert await done(gateway, "integrations", "provision", "openai", "professional") == "@openai in professional\n"
    made = ("api-keys", "create", "Acme Corp", "--workspace", "professional")
    key = (await done(gateway, *made, "--budget-usd", "25.50", "--reset", "monthly", "--rpm", "10")).strip()

    priced = {"slug": "sim-fast", "enabled": True, "is_custom": True, "pricing_config": PRICE}
    gateway.admin("PUT", "/integrations/openai/models", {"models": [priced], "allow_all_models": True})
    answer = gateway.chat(key, "@openai/sim-fast")
    assert answer.status == 200, answer.body
    record = gateway.record(answer.header("x-headgate-request-id"))
    explained = await done(gateway, "usage", "explain", record["request_id"], "--data-dir", str(gateway.data_dir))
    assert record["request_id"] in explained
    assert "as the provider reported it" in explained
    assert "tier=pro" in explained
    lines = [line.split() for line in explained.splitlines()[-3:]]
    assert [line[0] for line in lines] == ["input", "output", "total"]
    nanos = [round(float(line[-1]) * 10**9) for line in lines]
    assert nanos[0] + nanos[1] == nanos[2] == record["cost"]


PRICE = {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.001}, "response_token": {"price": 0.002}}}


async def test_keys_are_listed_masked_and_can_be_revoked(gateway: Gateway) -> None:
    """The whole key is seen once; afterwards its id is enough to end it."""
    key = (await done(gateway, "api-keys", "create", "Short-lived", "--workspace", "default")).strip()
    listed = await done(gateway, "api-keys", "list", "--workspace", "default")
    (row,) = [line for line in listed.splitlines() if "Short-lived" in line]
    assert key not in listed
    key_id = row.split()[0]
    assert key_id == key.split("_")[1]
    assert await done(gateway, "api-keys", "revoke", key_id) == f"{key_id} revoked\n"
    assert gateway.chat(key, "@openai/sim-fast").status == 401


async def test_a_key_is_given_another_secret(gateway: Gateway) -> None:
    """Printed once, under the same id; the one before is good as long as it was said."""
    old = (await done(gateway, "api-keys", "create", "Rotated", "--workspace", "default")).strip()
    key_id = old.split("_")[1]
    new = (await done(gateway, "api-keys", "rotate", key_id, "--transition-minutes", "0")).strip()
    assert (new != old, new.split("_")[1]) == (True, key_id)
    newest = (await done(gateway, "api-keys", "rotate", key_id)).strip()
    refused = [gateway.chat(each, "@openai/sim-fast").status == 401 for each in (old, new, newest)]
    assert refused == [True, False, False]


async def test_a_credential_can_come_from_standard_input(gateway: Gateway) -> None:
    """From a secret store through a pipe; without one the command says what else there is."""
    made = await done(gateway, "integrations", "add", "anthropic", "--slug", "piped", "--name", "Piped", stdin="sk-x\n")
    assert made == "piped\n"
    empty = await run(gateway, "integrations", "add", "anthropic", "--slug", "empty", "--name", "Empty")
    assert empty.code == 2
    assert "--from-env" in empty.err


async def test_what_the_server_refuses_is_told_in_its_own_words(gateway: Gateway) -> None:
    """One sentence, exit code 1."""
    refused = await run(gateway, "integrations", "provision", "nobody", "default")
    assert (refused.code, refused.err) == (1, "headgate: There is no integration `nobody`.\n")
    unknown = await run(gateway, "workspaces", "list", HEADGATE_ADMIN_KEY="hg_wrong")
    assert unknown.code == 1
    assert "not valid" in unknown.err


async def test_a_call_that_is_not_in_the_books_is_said_so(gateway: Gateway) -> None:
    """With the reasons there can be."""
    missing = await run(gateway, "usage", "explain", "req_nothing", "--data-dir", str(gateway.data_dir))
    assert missing.code == 1
    assert "There is no usage record of `req_nothing`" in missing.err


async def test_check_sees_the_running_server(gateway: Gateway, tmp_path: Path) -> None:
    """It reads beside the server and names it."""
    checked = await headgate("check", "--data-dir", str(gateway.data_dir), cwd=tmp_path)
    assert checked.code == 0
    assert f"in use by process {gateway.process.pid}" in checked.out
