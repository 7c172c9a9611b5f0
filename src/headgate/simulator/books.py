"""Reads the simulator's journal: one `Call` per call, by its own id or summed by the gateway's request id."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from headgate.simulator.journal import Billed, Entry, Intent

_decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


@dataclass(frozen=True, slots=True)
class Call:
    """One call the simulator took. `billed` is None while it runs, or for ever if the simulator died in it."""

    intent: Intent
    billed: Billed | None

    @property
    def usage(self) -> Mapping[str, int]:
        """What it is billed: all that was expected where the end is not known."""
        return self.intent.expected if self.billed is None else self.billed.usage


@dataclass(frozen=True, slots=True)
class Bill:
    """All calls under one request id of the gateway (retries and fallbacks are several), and their usage together."""

    request_id: str
    calls: tuple[Call, ...]
    usage: Mapping[str, int]
    told: bool
    """Whether the gateway was told all of it."""


def read(path: Path | str) -> list[Call]:
    """All calls in the order they began. A last line without its end (the simulator died writing it) is left out."""
    raw = Path(path).read_bytes()
    intents: dict[str, Intent] = {}
    ends: dict[str, Billed] = {}
    for line in raw[: raw.rfind(b"\n") + 1].splitlines():
        entry = _decoder.decode(line)
        if isinstance(entry, Intent):
            intents[entry.id] = entry
        else:
            ends[entry.id] = entry
    return [Call(intent, ends.get(intent.id)) for intent in intents.values()]


def bills(calls: Iterable[Call]) -> dict[str, Bill]:
    """The calls that carried a request id of the gateway, joined by it."""
    by_request: dict[str, list[Call]] = {}
    for call in calls:
        if call.intent.request_id:
            by_request.setdefault(call.intent.request_id, []).append(call)
    return {request_id: _bill(request_id, group) for request_id, group in by_request.items()}


def _bill(request_id: str, calls: list[Call]) -> Bill:
    usage: Counter[str] = Counter()
    for call in calls:
        usage.update(call.usage)
    told = all(not call.usage or (call.billed is not None and call.billed.told) for call in calls)
    return Bill(request_id, tuple(calls), dict(usage), told)
