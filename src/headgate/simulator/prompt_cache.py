"""The simulated prompt cache: a prefix that was sent before is read, a new one is written."""

from collections import OrderedDict
from collections.abc import Mapping

from headgate.base import usage as meters
from headgate.simulator.ask import Ask

MIN_TOKENS = 64
"""A shorter prefix is not cached. (The providers' limit is 1,024 and more; this one keeps tests short.)"""


class PromptCache:
    """Remembers the prefixes of the last 10,000 calls. `bills_writes`: Anthropic does, OpenAI does not."""

    def __init__(self, remembered: int = 10_000) -> None:
        self._remembered = remembered
        self._seen: OrderedDict[str, None] = OrderedDict()

    def counts(self, ask: Ask, owner: str, *, bills_writes: bool) -> Mapping[str, int]:
        """The input meters of a call: fresh tokens, and those read from or written to the cache of this owner."""
        prefix = ask.prefix
        if prefix is None or prefix.tokens < MIN_TOKENS:
            return {meters.INPUT: ask.input_tokens}
        fresh = ask.input_tokens - prefix.tokens
        hit = self._look_up(f"{owner}\n{ask.model}\n{prefix.key}")
        counts = {meters.INPUT: fresh} if fresh else {}
        if hit:
            return {**counts, meters.CACHE_READ: prefix.tokens}
        if bills_writes:
            return {**counts, meters.CACHE_WRITE_1H if prefix.hour else meters.CACHE_WRITE: prefix.tokens}
        return {meters.INPUT: ask.input_tokens}

    def _look_up(self, key: str) -> bool:
        hit = key in self._seen
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        return hit
