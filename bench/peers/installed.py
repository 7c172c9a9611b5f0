"""Environments of their own for the peers, and commands that tell why they failed."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.peers.subject import CannotRun
from bench.rig import ROOT


def environment(place: Path, **more: str) -> dict[str, str]:
    """This process's, with what is installed in `place` first, and without anybody's provider keys."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    return {**kept, "PATH": f"{place / 'bin'}{os.pathsep}{kept.get('PATH', '')}", **more}


def run(what: str, command: Sequence[str | Path], using: Mapping[str, str], cwd: Path = ROOT) -> None:
    """Raises `CannotRun` with its last line."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(using), cwd=cwd)
    except FileNotFoundError as error:
        raise CannotRun(f"{what} failed: there is no {error.filename}") from error
    if done.returncode != 0:
        raise CannotRun(f"{what} failed: {last_line(done.stderr or done.stdout)}")


def python_environment(name: str, *requirements: str) -> Path:
    """A virtual environment under `.venvs` with exactly these. Raises `CannotRun`."""
    place = (ROOT / ".venvs").resolve() / name
    done, wanted = place / "requirements", "\n".join(requirements)
    if not done.exists() or done.read_text() != wanted:
        using = environment(place)
        run("installing it", (sys.executable, "-m", "venv", place), using)
        run("installing it", (place / "bin" / "python", "-m", "pip", "install", "--quiet", *requirements), using)
        done.write_text(wanted)
    return place


def node_environment(name: str, requirement: str) -> Path:
    """A directory under `.venvs` with this npm package. Raises `CannotRun`."""
    place = (ROOT / ".venvs").resolve() / name
    done = place / "requirements"
    if not done.exists() or done.read_text() != requirement:
        place.mkdir(parents=True, exist_ok=True)
        command = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", place, requirement)
        run("installing it", command, environment(place))
        done.write_text(requirement)
    return place


def last_line(text: str) -> str:
    """What is most likely to say why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:160] if lines else "it said nothing"
