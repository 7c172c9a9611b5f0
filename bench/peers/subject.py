"""One gateway under measure, and the reason where it cannot be."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

PATH = "/v1/chat/completions"


class CannotRun(Exception):
    """Why it cannot be tried here, in a few words."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Listens on `port`; `pid` is whose CPU and memory are measured. 0: nobody's, as for the mock itself."""

    name: str
    version: str
    port: int
    pid: int
    model: str
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = PATH
    at_once: int = 10_000
    """More calls than these are not sent at once: it would not answer them."""

    def asking(self, name: str, model: str) -> Self:
        """The same process, asked for another model."""
        return replace(self, name=name, model=model)
