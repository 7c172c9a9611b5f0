"""The JSON Schema of the file, for editors: it takes what the command takes, and knows what it does not."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from headgate.cli.apply.source import parsed
from tests.cli.apply.test_platform import EXAMPLE
from tests.support.command import headgate


@pytest.fixture
async def validator(tmp_path: Path) -> Draft202012Validator:
    """Of what the command prints, without a file or a server."""
    ran = await headgate("apply", "--schema", cwd=tmp_path, env={})
    assert ran.code == 0, ran.err
    schema: Any = json.loads(ran.out)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


async def test_it_takes_the_example_and_no_more(validator: Draft202012Validator, tmp_path: Path) -> None:
    """Unknown sections and fields, missing names, credentials in the clear."""
    assert validator.is_valid(parsed(EXAMPLE).value)
    for text, changed in (
        ("workspaces:\n", "workspace:\n"),
        ("    description: Enterprise customers\n", "    descriptoin: Enterprise customers\n"),
        ("key: {env: OPENAI_API_KEY}", "key: sk-1234567890"),
        ("  - slug: workspace-starter\n    name:", "  - name:"),
    ):
        assert text in EXAMPLE
        assert not validator.is_valid(parsed(EXAMPLE.replace(text, changed, 1)).value), changed
    unnamed = await headgate("apply", cwd=tmp_path, env={})
    assert unnamed.code == 2
    assert "--file" in unnamed.err
