"""Text completions."""

import json

import pytest

from headgate.wire.document import Document
from headgate.wire.openai_completions import OpenAICompletions
from headgate.wire.registry import open_dialogue

FORMAT = OpenAICompletions()


@pytest.mark.parametrize(
    ("members", "choices"),
    [
        ({"prompt": "a"}, 1),
        ({"prompt": ["a", "b", "c"]}, 3),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1, 2], [3]]}, 2),
        ({"prompt": []}, 1),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": ["a", "b"], "n": 2, "best_of": 5}, 10),
        ({}, 1),
    ],
)
def test_every_answer_that_may_be_generated_counts(members: dict[str, object], choices: int) -> None:
    """A batch of prompts has an answer each, and `best_of` generates more than come back."""
    assert FORMAT.head(Document(json.dumps(members).encode())).choices == choices


def test_a_batch_is_whole_when_all_its_answers_are() -> None:
    """One finish reason for each prompt."""
    document = Document(b'{"model":"m","stream":true,"prompt":["a","b"],"max_tokens":3}')
    head = FORMAT.head(document)
    assert head.max_output_tokens == 3
    attempt = open_dialogue(FORMAT.name, FORMAT.name, document, head, "m")
    whole = []
    for index, text in (0, b"xy"), (1, b"z"):
        attempt.feed(b'data: {"choices":[{"index":%d,"text":"%b","finish_reason":"stop"}]}\n\n' % (index, text))
        whole.append(attempt.complete)
    assert whole == [False, True]
    assert attempt.delivered == 3
    assert attempt.finish() == b""
