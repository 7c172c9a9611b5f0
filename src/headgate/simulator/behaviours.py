"""The models there are, and what each of them does. To add one, add a line to `BEHAVIOURS`."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

from headgate.base import usage as meters
from headgate.simulator.answer import Counts, Style
from headgate.simulator.ask import ProviderError
from headgate.simulator.deliveries import (
    Delivery,
    Spoiling,
    byte_by_byte,
    cut_after_one,
    cut_in_character,
    cut_in_line,
    cut_off,
    failing,
    failing_at_once,
    falling_silent,
    garbled,
    slowly,
    stalling,
    steadily,
    without_end,
)

REDIRECTED = "/v1/redirected"
"""Where `sim-redirect` points. Whoever follows is in the journal, under the dialect `redirected`."""


_PLAIN = Style()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a model does. `answers` false: it never begins to; `refuses`: it answers with an error (or a redirect)."""

    what: str
    style: Style = _PLAIN
    tells: Callable[[Counts], Counts | None] = lambda counts: counts
    delivers: Delivery = steadily
    spoils: Spoiling | None = None
    refuses: Callable[[], ProviderError | None] | None = None
    answers: bool = True
    hangs_up: bool = False
    """It makes its answer, and the connection is closed after the head of it."""
    reflects: bool = False


def _nothing(counts: Counts) -> None:
    return None


def _lies(counts: Counts) -> Counts:
    """More cached tokens than the prompt has, and seven output tokens that were never made."""
    prompt = counts.get(meters.INPUT, 0)
    return {**counts, meters.INPUT: -3, meters.CACHE_READ: prompt, meters.OUTPUT: counts.get(meters.OUTPUT, 0) + 7}


def _refusal(
    status: int, message: str, *, retry_after: int | None = None, location: str | None = None
) -> Callable[[], ProviderError]:
    return lambda: ProviderError(status, message, retry_after=retry_after, location=location)


def _by_turns(status: int, message: str) -> Callable[[], ProviderError | None]:
    """Refuses the first request, and then every other one, with `Retry-After: 0`."""
    turns = cycle((ProviderError(status, message, retry_after=0), None))
    return lambda: next(turns)


BEHAVIOURS: dict[str, Behaviour] = {
    "sim-fast": Behaviour(what="answers at once, with an echo"),
    "sim-embed": Behaviour(what="answers at once; the name for embeddings"),
    "sim-slow": Behaviour(what="pauses before every event", delivers=slowly, style=Style(tokens=64)),
    "sim-long": Behaviour(what="4,000 tokens in 1,000 events", style=Style(tokens=4_000)),
    "sim-huge": Behaviour(what="1 MiB of text in events of 64 KiB", style=Style(tokens=262_144, delta_bytes=65_536)),
    "sim-trickle": Behaviour(what="sends every byte by itself", delivers=byte_by_byte),
    "sim-reasoning": Behaviour(what="thinks before it answers", style=Style(thinks=True)),
    "sim-tools": Behaviour(what="calls whatever tool it is given", style=Style(calls_tools=True)),
    "sim-reflect": Behaviour(what="answers with the request headers, as text and as headers", reflects=True),
    "sim-no-usage": Behaviour(what="does not say what it used", tells=_nothing),
    "sim-usage-lies": Behaviour(what="says it used what it did not", tells=_lies),
    "sim-no-done": Behaviour(what="ends a stream without saying that it is whole", spoils=without_end),
    "sim-bad-json": Behaviour(what="sends JSON that breaks off", spoils=garbled),
    "sim-stall": Behaviour(what="takes the request and never answers", answers=False),
    "sim-stall-mid-stream": Behaviour(what="falls silent half-way", delivers=stalling, style=Style(tokens=64)),
    "sim-cut-mid-stream": Behaviour(what="hangs up half-way", delivers=cut_off, style=Style(tokens=64)),
    "sim-cut-mid-utf8": Behaviour(
        what="hangs up inside a character",
        delivers=cut_in_character,
        style=Style(tokens=64, prose="Wasser fließt, 水は低きに流れる. "),
    ),
    "sim-cut-after-one": Behaviour(what="hangs up after one token", delivers=cut_after_one, style=Style(tokens=64)),
    "sim-cut-mid-line": Behaviour(what="hangs up inside a line", delivers=cut_in_line, style=Style(tokens=64)),
    "sim-hang-up": Behaviour(what="makes its answer, and hangs up after the head of it", hangs_up=True),
    "sim-silence": Behaviour(what="says nothing for a while after its first event", delivers=falling_silent),
    "sim-error-at-once": Behaviour(what="tells of an error and of nothing else", delivers=failing_at_once),
    "sim-error-mid-stream": Behaviour(what="tells of an error half-way", delivers=failing, style=Style(tokens=64)),
    "sim-500": Behaviour(what="500", refuses=_refusal(500, "The server had an error while processing your request.")),
    "sim-429": Behaviour(
        what="429 with Retry-After: 7", refuses=_refusal(429, "Rate limit reached for sim-429.", retry_after=7)
    ),
    "sim-529": Behaviour(what="529, overloaded", refuses=_refusal(529, "Overloaded", retry_after=3)),
    "sim-flapping": Behaviour(what="503 to every other request", refuses=_by_turns(503, "Come again.")),
    "sim-redirect": Behaviour(what="307 to another path", refuses=_refusal(307, "Moved.", location=REDIRECTED)),
}
