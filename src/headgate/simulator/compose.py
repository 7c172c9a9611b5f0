"""An answer with its bill, before it is put into bytes."""

from dataclasses import replace

from headgate.base import usage as meters
from headgate.simulator import answer as answers
from headgate.simulator.answer import Answer
from headgate.simulator.ask import Ask
from headgate.simulator.behaviours import Behaviour
from headgate.simulator.dialects.base import Dialect
from headgate.simulator.prompt_cache import PromptCache


def compose(
    ask: Ask, dialect: Dialect, behaviour: Behaviour, cache: PromptCache, owner: str, text: str | None = None
) -> Answer:
    """What the model says to this owner of a prompt cache; `text`, where given, instead of its own words."""
    counts = cache.counts(ask, owner, bills_writes=dialect.bills_cache_writes)
    answer = answers.answer(ask, behaviour.style, counts, text)
    if dialect.reports_reasoning or meters.REASONING not in answer.counts:
        return answer
    merged = dict(answer.counts)
    merged[meters.OUTPUT] = merged.get(meters.OUTPUT, 0) + merged.pop(meters.REASONING)
    return replace(answer, counts=merged)
