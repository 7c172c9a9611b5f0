"""Official SDKs, each in a virtual environment of its own: they drag each other's versions down."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENTS = ROOT / ".venvs"
SCRIPTS = ROOT / "tests" / "contract" / "scripts"
RUN_WITHIN_S = 100


def python_with(sdk: str) -> Path:
    """The interpreter of the environment with `requirements/sdk-<sdk>.txt`, made at first use and kept between runs.

    Skips the test where pip has no index to install from.
    """
    requirements = ROOT / "requirements" / f"sdk-{sdk}.txt"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    place = ENVIRONMENTS / sdk
    stamp, interpreter = place / "installed", place / "bin" / "python"
    ENVIRONMENTS.mkdir(exist_ok=True)
    with _locked(ENVIRONMENTS / f"{sdk}.lock"):
        if not stamp.exists() or stamp.read_text() != wanted:
            venv.EnvBuilder(with_pip=True, clear=True).create(place)
            pip = (interpreter, "-m", "pip", "--disable-pip-version-check")
            command = (*pip, "install", "--quiet", "-r", requirements)
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                pytest.skip(f"pip could not install the {sdk} SDK here: {done.stderr.strip().splitlines()[-1]}")
            stamp.write_text(wanted)
    return interpreter


def run_script(sdk: str, script: str, **arguments: object) -> Any:
    """Runs a script of `tests/contract/scripts` with the SDK. Its argument is one JSON object, as is what it prints."""
    command = (python_with(sdk), SCRIPTS / script, json.dumps(arguments))
    outside = ("_API_KEY", "_PROXY", "_proxy")
    environment = {name: value for name, value in os.environ.items() if not name.endswith(outside)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=RUN_WITHIN_S, env=environment, cwd=SCRIPTS
    )
    assert done.returncode == 0, f"{script} with {sdk}:\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process of a parallel run installs, the others wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
