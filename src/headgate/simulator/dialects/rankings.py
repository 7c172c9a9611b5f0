"""Verdicts and orders: `POST /moderations` as OpenAI has it, `POST /rerank` as Cohere has it.

A text is flagged where it says `harm`. A document ranks by how many of its words are in the question.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from headgate.base import usage as meters
from headgate.simulator import tokens
from headgate.simulator.ask import Ask, Json, ProviderError, required
from headgate.simulator.dialects import openai
from headgate.simulator.dialects.base import Frame, Headers, Reply, to_json

DOCUMENTS_PER_SEARCH = 100


class Moderations(openai.OpenAI):
    """Bills nothing."""

    name: ClassVar[str] = "openai_moderations"

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        given = required(body, "input", (str, list))
        inputs = given if isinstance(given, list) else [given]
        return Ask(model=required(body, "model", str), text="", input_tokens=0, bill={}, extras={"inputs": inputs})

    def plain(self, reply: Reply) -> bytes:
        results = [_verdict(str(each)) for each in reply.ask.extras["inputs"]]
        return to_json({"id": f"modr-{reply.id}", "model": reply.ask.model, "results": results})

    def frames(self, reply: Reply) -> Iterator[Frame]:
        yield Frame(self.plain(reply), last=True)


def _verdict(text: str) -> Json:
    flagged = "harm" in text
    return {
        "flagged": flagged,
        "categories": {"violence": flagged},
        "category_scores": {"violence": 0.9 if flagged else 0.0},
        "category_applied_input_types": {"violence": ["text"]},
    }


class Rerank(openai.OpenAI):
    """Bills a search unit for each hundred documents."""

    name: ClassVar[str] = "rerank"

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        documents = required(body, "documents", list)
        if not documents:
            raise ProviderError(400, "Missing or wrong parameter: 'documents'.")
        searches = -(-len(documents) // DOCUMENTS_PER_SEARCH)
        return Ask(
            model=required(body, "model", str),
            text="",
            input_tokens=tokens.count(required(body, "query", str)),
            bill={meters.SEARCH_UNIT: searches},
            extras={"query": body["query"], "documents": documents, "top_n": body.get("top_n") or len(documents)},
        )

    def plain(self, reply: Reply) -> bytes:
        extras = reply.ask.extras
        scores = [_score(extras["query"], document) for document in extras["documents"]]
        ranked = sorted(range(len(scores)), key=lambda index: -scores[index])[: extras["top_n"]]
        body: Json = {
            "id": reply.id,
            "results": [{"index": index, "relevance_score": scores[index]} for index in ranked],
            "meta": {"api_version": {"version": "2"}},
        }
        if reply.told is not None:
            body["meta"]["billed_units"] = {"search_units": reply.told.get(meters.SEARCH_UNIT, 0)}
        return to_json(body)

    def frames(self, reply: Reply) -> Iterator[Frame]:
        yield Frame(self.plain(reply), last=True)


def _score(query: str, document: Any) -> float:
    words = set(str(document).lower().split())
    asked = set(query.lower().split())
    return len(words & asked) / max(1, len(asked))
