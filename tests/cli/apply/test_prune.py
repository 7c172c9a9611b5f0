"""`headgate apply --prune`: what the file does not name is removed, as far as it says so, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.apply.test_apply import apply
from tests.cli.apply.test_platform import EXAMPLE
from tests.support.gateway import Gateway, started


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with started(tmp_path_factory.mktemp("prune")) as running_gateway:
        yield running_gateway


def names(gateway: Gateway, path: str, field: str = "name") -> set[str]:
    return {each[field] for each in gateway.admin("GET", path)["data"]}


LISTS = (
    "/admin/workspaces", "/integrations", "/providers", "/guardrails", "/configs", "/admin/tenants", "/api-keys",
    "/policies/usage-limits", "/policies/rate-limits",
)  # fmt: skip


async def test_what_the_file_does_not_name_is_removed(gateway: Gateway, tmp_path: Path) -> None:
    """Of every section; shown first, refused where it holds what would stay; then the file is all there is, but for the
    default workspace, the administrator's key, and providers that integrations made."""
    assert (await apply(gateway, tmp_path, EXAMPLE, "--yes", "--keys-file", "k")).code == 0
    assert (await apply(gateway, tmp_path, EXAMPLE, "--prune", "--dry-run")).out.startswith("Nothing to change")
    before = {path: names(gateway, path) for path in LISTS}
    old = gateway.admin("POST", "/admin/workspaces", {"name": "old"})["slug"]
    gateway.admin("POST", "/admin/tenants", {"tenant_id": "gone", "name": "Gone", "workspace_id": old})
    key = {"name": "left", "workspace_id": old, "tenant_id": "gone", "scopes": ["completions.write"]}
    gateway.admin("POST", "/api-keys/workspace/service", key)
    integration = {"name": "Spare", "slug": "spare", "ai_provider_id": "openai", "key": "sk-spare-0000000000"}
    gateway.admin("POST", "/integrations", integration)
    gateway.admin("PUT", "/integrations/spare/workspaces", {"workspaces": [{"id": old, "enabled": True}]})
    gateway.admin("POST", "/configs", {"name": "spare", "config": {"retry": {"attempts": 1}}})
    policy = {"name": "spare", "conditions": [], "group_by": [{"key": "model"}], "type": "cost", "credit_limit": 5}
    gateway.admin("POST", "/policies/usage-limits", policy)
    only_workspaces = EXAMPLE[EXAMPLE.index("workspaces:") : EXAMPLE.index("integrations:")].replace(
        "\n      config_id: patient\n      input_guardrails: [small models only]", ""
    )

    refused = await apply(gateway, tmp_path, only_workspaces, "--prune", "--yes")
    assert refused.code == 1
    assert "workspace old is not in the file, and holds" in refused.err
    assert "tenant gone" in refused.err
    assert "key left" in refused.err
    assert "gone" in names(gateway, "/admin/tenants", "tenant_id")
    spare = await apply(gateway, tmp_path, EXAMPLE, "--prune", "--yes")
    assert (spare.code, "integration spare" in spare.err, "workspace old" in spare.err) == (1, True, True)

    shown = await apply(gateway, tmp_path, EXAMPLE, "--prune", "--with-contents", "--dry-run")
    assert shown.code == 2
    removed = [line for line in shown.out.splitlines() if line.startswith("- ")]
    assert {
        "- usage policy spare",
        f"- key left of {old}",
        "- tenant gone",
        "- config spare",
        "- workspaces of integration spare",
        "- integration spare",
        f"- workspace {old}",
    } <= set(removed)
    done = await apply(gateway, tmp_path, EXAMPLE, "--prune", "--with-contents", "--yes")
    assert done.code == 0, done.err
    assert {path: names(gateway, path) for path in LISTS} == before
    again = await apply(gateway, tmp_path, EXAMPLE, "--prune", "--yes")
    assert again.out.startswith("Nothing to change")


async def test_a_section_that_is_absent_says_nothing(gateway: Gateway, tmp_path: Path) -> None:
    """One that is empty says that there is to be none."""
    gateway.admin("POST", "/admin/workspaces", {"name": "beside"})
    kept = await apply(gateway, tmp_path, "organisation: {time_zone: UTC}\n", "--prune", "--yes")
    assert kept.code == 0, kept.err
    assert "beside" in names(gateway, "/admin/workspaces")
    emptied = await apply(gateway, tmp_path, "webhooks: []\n", "--prune", "--yes")
    assert emptied.code == 0, emptied.err
    assert gateway.admin("GET", "/admin/webhooks")["data"] == []
