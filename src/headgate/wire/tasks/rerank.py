"""Reranking, as Cohere defined it and Jina, vLLM and others took it over. Billed by search units or by tokens."""

from headgate.base import usage as meters
from headgate.base.usage import Usage
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.figures import Figures, usage_object
from headgate.wire.reading import given
from headgate.wire.tasks.task import Task, TaskMeter, Told


class Rerank(Task):
    name = "rerank"
    path = "/rerank"

    def head(self, document: Document) -> Head:
        return Head(model=document.string("model"), max_output_tokens=0, user=document.string("user"))

    def meter(self, document: Document, head: Head, model: str) -> TaskMeter:
        return TaskMeter(_usage)


def _usage(told: Told) -> Usage | None:
    """Cohere's is in `meta.billed_units`; the others have a `usage`."""
    counts: dict[str, int] = {}
    flags: dict[str, None] = {}
    raw = b""
    if (meta := usage_object(given(told.meta))) is not None:
        raw, members = meta
        billed = Figures(members, flags).object("billed_units")
        if "search_units" in billed:
            counts[meters.SEARCH_UNIT] = billed.count("search_units")
        if "input_tokens" in billed:
            counts[meters.INPUT] = billed.count("input_tokens")
    if (usage := usage_object(given(told.usage))) is not None:
        raw, members = usage
        figures = Figures(members, flags)
        for name in ("prompt_tokens", "total_tokens"):
            if name in figures:
                counts[meters.INPUT] = figures.count(name)
    return Usage(counts, raw=raw, flags=tuple(flags)) if counts else None
