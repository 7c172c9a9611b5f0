"""A rolling upgrade: processes of two versions on one database and one authority, while callers go on."""

import shutil
from pathlib import Path

import pytest

import headgate
from headgate.storage.migrate import newest
from tests.support.deployment import deployed

BETWEEN = 10
MIGRATION = '''"""What the next version adds."""

import sqlalchemy as sa
from alembic import op

revision = "v9999"
down_revision = "{newest}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("usage_record", "api_key", "process"):
        op.add_column(table, sa.Column("of_the_next_version", sa.Text(), nullable=True))
'''


def next_version(directory: Path) -> Path:
    """This one with other functions for the authority, and one migration more."""
    package = directory / "headgate"
    shutil.copytree(Path(headgate.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    functions = package / "storage" / "shares" / "functions.lua"
    functions.write_text(functions.read_text(encoding="utf-8") + "-- of another version\n", encoding="utf-8")
    migration = package / "storage" / "migrations" / "versions" / "v9999_next.py"
    migration.write_text(MIGRATION.format(newest=newest()), encoding="utf-8")
    return directory


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_two_versions_at_once(tmp_path: Path) -> None:
    """One node is of the next version, which has migrated the schema; the other goes on, and both lose what they share
    again and again: never over a budget, nothing lost, nothing twice. Then the other is replaced too."""
    source = next_version(tmp_path / "next")
    async with deployed(tmp_path) as deployment:
        await deployment.more_calls(BETWEEN)
        await deployment.upgrade("node", source)
        for part in ("valkey", "node", "postgres", "valkey"):
            await deployment.new_key()
            await deployment.more_calls(BETWEEN)
            await deployment.kill(part)
        await deployment.new_key()
        await deployment.more_calls(BETWEEN)
        await deployment.upgrade("workers", source)
        await deployment.new_key()
        await deployment.more_calls(BETWEEN)
        await deployment.end_calls()
        await deployment.books()
