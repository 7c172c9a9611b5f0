"""OpenAI's files and batches: what is asked of one that is sent. It is no call to a model, and names none."""

from headgate.base.usage import Usage
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.tasks.task import Task, TaskMeter


class Files(Task):
    """And batches: `name` and `path` tell them apart."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path

    def head(self, document: Document) -> Head:
        return Head(model=None, max_output_tokens=0)

    def meter(self, document: Document, head: Head, model: str) -> TaskMeter:
        return TaskMeter(lambda _told: Usage({}))
