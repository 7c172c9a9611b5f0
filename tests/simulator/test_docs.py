"""The page about the simulator is true."""

import re
from pathlib import Path

from headgate.simulator.behaviours import BEHAVIOURS
from headgate.simulator.tokens import BYTES_PER_TOKEN, IMAGE_TOKENS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "reference" / "simulator.md").read_text()


def test_every_model_is_on_the_page_as_it_is() -> None:
    """No model is missing, none is there that does not exist, and each does what the page says."""
    rows = dict(re.findall(r"^\| `(sim-[a-z0-9-]+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert rows == {name: behaviour.what for name, behaviour in BEHAVIOURS.items()}


def test_the_page_counts_as_the_simulator_does() -> None:
    """Whoever checks a figure by hand comes to the same."""
    assert BYTES_PER_TOKEN == 4
    assert "A token is four UTF-8 bytes" in PAGE
    assert f"an image is {IMAGE_TOKENS}" in PAGE
