"""`headgate demo --exit`, as `make demo ARGS=--exit` runs it."""

import subprocess
import sys
from pathlib import Path


def test_the_demo_shows_calls_of_every_format_and_books_that_agree(tmp_path: Path) -> None:
    """It ends by itself with 0, and says what it saw: a newcomer's first minute is part of the promise."""
    command = (sys.executable, "-c", "from headgate.cli.app import main; main()", "demo", "--exit", "--port", "0")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "What happened" in done.stdout
    assert " 0 differ" in done.stdout
    for endpoint in ("chat/completions", "messages", "responses", "completions", "embeddings"):
        assert endpoint in done.stdout
    assert list((tmp_path / ".demo").glob("run-*/simulator.journal"))
