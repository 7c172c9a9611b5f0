"""The loads of the benchmarks measure what they say they measure."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.asking import KB, body
from bench.lab import mocked
from bench.peers.subject import Subject
from bench.rig import ROOT


@pytest.fixture
def mock() -> Iterator[Subject]:
    """Streams of four pieces, a tenth of a second between two."""
    with mocked(chunks=4, pace_s=0.1) as subject:
        yield subject


def told(module: str, mock: Subject, folder: Path, *arguments: float, stream: bool = False) -> dict[str, float]:
    written = folder / "body.json"
    written.write_bytes(body(mock.model, KB, stream=stream))
    given = [str(mock.port), mock.path, "{}", str(written), *map(str, arguments)]
    done = subprocess.run([sys.executable, "-m", module, *given], stdout=subprocess.PIPE, check=True, cwd=ROOT)
    loaded: dict[str, float] = json.loads(done.stdout)
    return loaded


def test_every_call_that_is_due_is_made(mock: Subject, tmp_path: Path) -> None:
    """And timed: none has failed, and none took no time."""
    result = told("bench.openload", mock, tmp_path, 200, 0.5)
    assert (result["due"], result["failed"]) == (100, 0)
    assert 0 < result["p50_ms"] <= result["p99_ms"]


def test_a_gap_beyond_the_bound_is_a_stall(mock: Subject, tmp_path: Path) -> None:
    """Pieces that come every tenth of a second stall for who waits for a fiftieth, and not for who waits five."""
    slow = told("bench.viewers", mock, tmp_path, 2, 1.0, 0.02, stream=True)
    patient = told("bench.viewers", mock, tmp_path, 2, 1.0, 5.0, stream=True)
    assert slow["stalls"] > 0
    assert patient["stalls"] == 0
    assert patient["failed"] == slow["failed"] == 0
    assert 90 < patient["gap_p50_ms"] < 1000


def test_who_answers_with_an_error_has_failed(mock: Subject, tmp_path: Path) -> None:
    """An answer that is no stream is a failed stream."""
    result = told("bench.viewers", mock, tmp_path, 2, 0.5, 1.0, stream=False)
    assert result["streams"] == 0
