"""OpenAI's older completions: `POST /completions`."""

from collections.abc import Iterator
from typing import ClassVar

from headgate.base import usage as meters
from headgate.simulator import tokens
from headgate.simulator.ask import Ask, Json, optional_int, required
from headgate.simulator.dialects import openai
from headgate.simulator.dialects.base import Frame, Headers, Reply, data_event, spoken, to_json

DEFAULT_LIMIT = 16


class Completions(openai.OpenAI):
    name: ClassVar[str] = "openai_completions"

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        prompt = required(body, "prompt", (str, list))
        options = body.get("stream_options") or {}
        return Ask(
            model=required(body, "model", str),
            text=prompt if isinstance(prompt, str) else " ".join(str(part) for part in prompt),
            input_tokens=max(1, tokens.prompt(prompt)),
            stream=bool(body.get("stream")),
            limit=optional_int(body, "max_tokens") or DEFAULT_LIMIT,
            choices=optional_int(body, "n") or 1,
            tells_usage=bool(options.get("include_usage")),
        )

    def plain(self, reply: Reply) -> bytes:
        choices = [_choice(index, reply.answer.text, reply.answer.finish) for index in range(reply.ask.choices)]
        body = {**_head(reply), "choices": choices}
        if reply.told is not None:
            body["usage"] = openai.usage(reply.told)
        return to_json(body)

    def frames(self, reply: Reply) -> Iterator[Frame]:
        head = _head(reply)
        if reply.ask.tells_usage:
            head["usage"] = None
        for index in range(reply.ask.choices):
            thought = tokens.count(reply.answer.reasoning)
            for piece, added in spoken(reply.answer.text, reply.delta_bytes):
                yield Frame(data_event({**head, "choices": [_choice(index, piece, None)]}), meters.OUTPUT, added)
            ending = data_event({**head, "choices": [_choice(index, "", reply.answer.finish)]})
            yield Frame(ending, meters.REASONING, thought)
        if reply.ask.tells_usage and reply.told is not None:
            yield Frame(data_event({**head, "choices": [], "usage": openai.usage(reply.told)}))
        yield Frame(openai.DONE, last=True)


def _head(reply: Reply) -> Json:
    return {"id": f"cmpl-{reply.id}", "object": "text_completion", "created": reply.created, "model": reply.ask.model}


def _choice(index: int, text: str, finish: str | None) -> Json:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}
