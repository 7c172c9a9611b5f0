"""OpenAI's speech: a text read aloud. The answer is sound, as it comes, or a stream of events (`stream_format`: `sse`).

Sound tells no usage: characters are counted in the request; tokens are told only by the last of the events.
"""

from headgate.base import usage as meters
from headgate.base.usage import Usage, UsageSource
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.figures import Figures, usage_object
from headgate.wire.reading import given
from headgate.wire.tasks.task import Task, TaskMeter, Told


class Speech(Task):
    name = "openai_speech"
    path = "/audio/speech"

    def head(self, document: Document) -> Head:
        return Head(
            model=document.string("model"),
            stream=document.string("stream_format") == "sse",
            max_output_tokens=0,
            user=document.string("user"),
        )

    def meter(self, document: Document, head: Head, model: str) -> TaskMeter:
        characters = len(document.string("input") or "")
        counted = Usage({meters.CHARACTER: characters} if characters else {}, UsageSource.COUNTED)

        def read(told: Told) -> Usage | None:
            opened = usage_object(given(told.usage))
            if opened is None:
                return None
            raw, members = opened
            figures = Figures(members)
            tokens = {meters.INPUT: figures.count("input_tokens"), meters.OUTPUT: figures.count("output_tokens")}
            return Usage({**counted.counts, **tokens}, raw=raw, flags=tuple(figures.flags))

        return TaskMeter(read, counted)
