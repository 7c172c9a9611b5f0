"""OpenAI's pictures: made from a text, edited, varied. Billed by the picture, or by tokens that the answer tells."""

import re
from functools import partial
from typing import Final

from headgate.base import usage as meters
from headgate.base.usage import Usage
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.figures import Figures, usage_object
from headgate.wire.heads import choices
from headgate.wire.reading import given
from headgate.wire.tasks.task import Task, TaskMeter, Told

MAX_PARTIAL: Final = 3
"""Pictures that are not finished yet, at most, in a stream of one."""
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")


class Images(Task):
    """`name` and `path` tell the three endpoints apart."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path

    def head(self, document: Document) -> Head:
        document.integer("partial_images", maximum=MAX_PARTIAL)
        for name in ("quality", "size"):
            _word(document, name)
        return Head(
            model=document.string("model"),
            stream=document.boolean("stream") or False,
            max_output_tokens=0,
            choices=choices(document),
            user=document.string("user"),
        )

    def meter(self, document: Document, head: Head, model: str) -> "ImageMeter":
        return ImageMeter()


def _word(document: Document, name: str) -> None:
    """What is priced by it is recorded under it."""
    value = document.string(name)
    if value is not None and _WORD.fullmatch(value) is None:
        raise document.wrong(name, "a word such as `high` or `1024x1024`")


class ImageMeter(TaskMeter):
    """Each picture of a stream ends with an event of its own, which tells what that one used."""

    def __init__(self) -> None:
        super().__init__(partial(_usage, streamed=False))

    def _take(self, told: Told) -> None:
        if told.type is None:
            super()._take(told)
            return
        before, found = self.usage, _usage(told, streamed=True)
        self.usage = found if before is None or found is None else _sum(before, found)
        self.complete = True


def _usage(told: Told, *, streamed: bool) -> Usage | None:
    if not streamed and told.data is None:
        return None
    counts = {meters.IMAGE: 1 if streamed else len(told.data or ())}
    opened = usage_object(given(told.usage))
    if opened is None:
        return Usage(counts)
    raw, members = opened
    figures = Figures(members)
    left = figures.count("input_tokens")
    details = figures.object("input_tokens_details")
    for meter, name in ((meters.INPUT_IMAGE, "image_tokens"), (meters.CACHE_READ, "cached_tokens")):
        counts[meter] = details.portion(name, left)
        left -= counts[meter]
    made = figures.count("output_tokens")
    counts[meters.OUTPUT] = figures.object("output_tokens_details").portion("text_tokens", made)
    counts[meters.OUTPUT_IMAGE] = made - counts[meters.OUTPUT]
    counts[meters.INPUT] = left
    return Usage(counts, raw=raw, flags=tuple(figures.flags))


def _sum(one: Usage, other: Usage) -> Usage:
    names = one.counts.keys() | other.counts.keys()
    counts = {name: one.counts.get(name, 0) + other.counts.get(name, 0) for name in names}
    return Usage(counts, raw=other.raw, flags=(*one.flags, *other.flags))
