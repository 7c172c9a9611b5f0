"""OpenAI's transcriptions and translations: sound as text. Billed by the second, or by tokens that the answer tells."""

import math
from typing import Final

from headgate.base import usage as meters
from headgate.base.usage import Usage, UsageSource
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.figures import MAX_COUNT, Figures, usage_object
from headgate.wire.form import Form
from headgate.wire.reading import given
from headgate.wire.sound import seconds
from headgate.wire.tasks.task import Task, TaskMeter, Told

MUTE: Final = frozenset({"text", "srt", "vtt"})
"""Answers in these formats are text alone, and tell no usage."""


class Transcriptions(Task):
    """`name` and `path` tell the two endpoints apart."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path

    def head(self, document: Document) -> Head:
        return Head(model=document.string("model"), stream=document.boolean("stream") or False, max_output_tokens=0)

    def meter(self, document: Document, head: Head, model: str) -> "TranscriptionMeter":
        return TranscriptionMeter(recorded(document), document.string("response_format") in MUTE)


def recorded(document: Document) -> int | None:
    """Seconds of the sound that a request brings; None where that is not known."""
    lengths = [seconds(file) for file in document.files("file")] if isinstance(document, Form) else []
    return None if not lengths or None in lengths else sum(length or 0 for length in lengths)


class TranscriptionMeter(TaskMeter):
    def __init__(self, length: int | None, mute: bool) -> None:
        counted = None if length is None else Usage({meters.AUDIO_SECOND: length}, UsageSource.COUNTED)
        super().__init__(_usage, counted)
        self._mute = mute

    def answer(self, body: bytes) -> None:
        if self._mute:
            self.usage, self.complete = self._counted, True
        else:
            super().answer(body)


def _usage(told: Told) -> Usage | None:
    opened = usage_object(given(told.usage))
    if opened is None:
        length = _whole_seconds(told.duration)
        return None if length is None else Usage({meters.AUDIO_SECOND: length})
    raw, members = opened
    figures = Figures(members)
    if "seconds" in figures:
        return Usage({meters.AUDIO_SECOND: figures.count("seconds")}, raw=raw, flags=tuple(figures.flags))
    total = figures.count("input_tokens")
    sound = figures.object("input_token_details").portion("audio_tokens", total)
    counts = {
        meters.INPUT: total - sound,
        meters.INPUT_AUDIO: sound,
        meters.OUTPUT: figures.count("output_tokens"),
    }
    return Usage(counts, raw=raw, flags=tuple(figures.flags))


def _whole_seconds(duration: object) -> int | None:
    """`verbose_json` tells it as a number, or as its text."""
    try:
        length = float(duration)  # type: ignore[arg-type]  # why: a length of sound, made whole below
    except (TypeError, ValueError):
        return None
    return math.ceil(length) if 0 <= length <= MAX_COUNT else None
