"""One request that brings the server nearer to the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from headgate.cli.apply.difference import Difference
from headgate.cli.apply.platform import Declared


@dataclass(frozen=True, slots=True)
class Step:
    """`body` is as in the file: its credentials and its references are resolved when it is sent."""

    verb: Literal["create", "change", "remove"]
    title: str
    differences: Sequence[Difference]
    method: Literal["POST", "PUT", "DELETE"]
    path: str
    body: Mapping[str, Any]
    declared: Declared
