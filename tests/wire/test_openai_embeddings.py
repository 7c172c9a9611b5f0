"""Embeddings."""

from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.openai_embeddings import OpenAIEmbeddings
from headgate.wire.registry import open_dialogue

FORMAT = OpenAIEmbeddings()


def test_nothing_is_generated() -> None:
    """The bound of the output is zero, whatever the request says."""
    document = Document(b'{"model":"e","input":["a"],"user":"u","max_tokens":9}')
    assert FORMAT.head(document) == Head(model="e", max_output_tokens=0, user="u")


def test_input_is_metered() -> None:
    """The answer passes untouched."""
    document = Document(b'{"model":"e","input":["a"]}')
    attempt = open_dialogue(FORMAT.name, FORMAT.name, document, FORMAT.head(document), "e")
    body = b'{"object":"list","data":[{"embedding":[0.1,0.2],"index":0}],"usage":{"prompt_tokens":4,"total_tokens":4}}'
    assert attempt.answer(200, body) is body
    assert attempt.usage is not None
    assert attempt.usage.counts == {"input": 4}
    assert attempt.complete
