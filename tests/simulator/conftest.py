"""One running simulator for the tests of a worker."""

from collections.abc import Iterator

import pytest

from headgate.simulator.deliveries import Pacing
from tests.support.simulator import Simulated, simulating


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """It keeps its books for all tests of the worker: a test looks at the last entries, not at all of them."""
    pacing = Pacing(slow=0.001, trickle=0.0001)
    with simulating(tmp_path_factory.mktemp("simulator") / "journal", pacing=pacing) as running:
        yield running
