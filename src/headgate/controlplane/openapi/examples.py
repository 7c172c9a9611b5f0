"""An example of each operation: what was sent to a real gateway once, and what it answered.

`examples.json` is written by `python -m tests.controlplane.record_examples`; tests hold it against the document.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, TypedDict


class Example(TypedDict):
    """`path` are the parameters in the path; `request` is null where there is no body."""

    path: dict[str, str]
    query: dict[str, str]
    request: Any
    response: Any


@cache
def examples() -> Mapping[str, Example]:
    """By method and path, as in `answers`."""
    text = files("headgate.controlplane.openapi").joinpath("examples.json").read_text()
    found: Mapping[str, Example] = json.loads(text)
    return found
