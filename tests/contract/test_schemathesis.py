"""Schemathesis, let loose on a running gateway with its own OpenAPI document and an administrator's key.

No answer is a failure of the server, none has a status, a type or a shape that the document does not have. It runs in a
process of its own; nothing in it is random, so that what it finds it finds again.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Gateway, started
from tests.support.http import call
from tests.support.openapi import document, operations
from tests.support.processes import clean_environment

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
PROGRAM = Path(sys.executable).with_name("schemathesis")
WITHIN_S = 100
LONG_S = 1_500


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with started(tmp_path_factory.mktemp("schemathesis")) as running_gateway:
        for name, operation in operations(document()):
            if name.startswith("POST ") and "{" not in name and "requestBody" in operation:
                made(running_gateway, name.removeprefix("POST "), operation)
        yield running_gateway


def made(gateway: Gateway, path: str, operation: Any) -> None:
    """What the example makes, so that some of what is asked for is there."""
    example = operation["requestBody"]["content"]["application/json"]["example"]
    answer = call("POST", gateway.url + path, example, {"x-portkey-api-key": gateway.admin_key})
    assert answer.status < 500, (path, answer.body)


def schemathesis(gateway: Gateway, directory: Path, phases: str, examples: int, within_s: float) -> str:
    """What it says, having found nothing. Raises `AssertionError` with all that it found."""
    command: list[str | Path] = [
        *(PROGRAM, "run", f"{gateway.url}/openapi.json", "--header", f"x-portkey-api-key: {gateway.admin_key}"),
        *("--checks", CHECKS, "--phases", phases, "--max-examples", str(examples), "--generation-deterministic"),
        *("--continue-on-failure", "--no-shrink", "--warnings", "off", "--no-color", "--request-timeout", "20"),
    ]
    ran = subprocess.run(
        command, cwd=directory, env=clean_environment(), capture_output=True, text=True, check=False, timeout=within_s
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "No issues found" in ran.stdout
    return ran.stdout


def test_the_document_is_kept(gateway: Gateway, tmp_path: Path) -> None:
    """The examples, and a few requests of every kind for every operation."""
    said = schemathesis(gateway, tmp_path, "examples,fuzzing", 8, WITHIN_S)
    assert f"Tested: {len(list(operations(document())))}" in said


@pytest.mark.slow
@pytest.mark.timeout(LONG_S)
def test_the_document_is_kept_whatever_comes(gateway: Gateway, tmp_path: Path) -> None:
    """Every boundary of every field, many more requests, and requests that build upon each other."""
    schemathesis(gateway, tmp_path, "examples,coverage,fuzzing,stateful", 60, LONG_S)
