"""The calls of the benchmarks, and those who make them: processes on the load's core that print one line of JSON."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.peers.subject import Subject
from bench.rig import OTHERS, pinned

SENTENCE: Final = "Say something about foxes and dogs, at some length, please. "
KB: Final = 1000


def body(model: str, size: int, *, stream: bool) -> bytes:
    """A chat request of about so many bytes."""
    prompt = (SENTENCE * (size // len(SENTENCE) + 1))[: max(size - 150, 1)]
    asked = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": 300}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(asked, separators=(",", ":")).encode()


def ask(
    module: str, subject: Subject, folder: Path, size: int, *arguments: object, stream: bool = False
) -> dict[str, float]:
    """`python -m MODULE PORT PATH HEADERS BODY_FILE ARGUMENTS`, on the load's core; what it printed."""
    written = folder / "body.json"
    written.write_bytes(body(subject.model, size, stream=stream))
    given = [str(subject.port), subject.path, json.dumps(dict(subject.headers)), str(written), *map(str, arguments)]
    command = [sys.executable, "-m", module, *given]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, preexec_fn=lambda: pinned(OTHERS))
    told: dict[str, float] = json.loads(done.stdout)
    return told
