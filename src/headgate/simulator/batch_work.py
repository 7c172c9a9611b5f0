"""The lines of a batch, each answered and billed as the call that it is, under the request id of the batch."""

from collections.abc import Mapping
from typing import Any

import msgspec

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.ids import RandomBytes, object_id
from headgate.simulator.ask import Json, ProviderError
from headgate.simulator.behaviours import Behaviour
from headgate.simulator.compose import compose
from headgate.simulator.dialects.base import Reply
from headgate.simulator.journal import Billed, Intent, Journal
from headgate.simulator.prompt_cache import PromptCache
from headgate.simulator.routes import route

_OWNER = "batches"
"""Of the prompt cache that they share."""


class BatchWork:
    """Carries lines out, at once."""

    def __init__(
        self,
        journal: Journal,
        cache: PromptCache,
        behaviours: Mapping[str, Behaviour],
        clock: Clock,
        random_bytes: RandomBytes,
    ) -> None:
        self._journal = journal
        self._cache = cache
        self._behaviours = behaviours
        self._clock = clock
        self._random_bytes = random_bytes

    def __call__(self, line: Json, request_id: str) -> Json:
        """The line's result, as the output file has it."""
        try:
            status, body = 200, self._answer(line, request_id)
        except ProviderError as error:
            status, body = error.status, {"error": {"message": error.message}}
        response = {"status_code": status, "request_id": object_id("sim", self._random_bytes), "body": body}
        return {"id": f"batch_req_{line['custom_id']}", "custom_id": line["custom_id"], "response": response}

    def _answer(self, line: Json, request_id: str) -> Any:
        found = route(line["url"], {})
        if found is None:
            raise ProviderError(404, f"Unknown request URL: {line['url']}.")
        dialect, target = found
        ask = dialect.ask(line["body"], {}, target)
        behaviour = self._behaviours.get(ask.model)
        if behaviour is None:
            raise ProviderError(404, f"The model `{ask.model}` does not exist.")
        if behaviour.refuses is not None and (error := behaviour.refuses()) is not None:
            raise error
        answer = compose(ask, dialect, behaviour, self._cache, _OWNER)
        identifier, now = object_id("sim", self._random_bytes), self._clock.now()
        told = behaviour.tells(answer.counts)
        reply = Reply(
            id=identifier.removeprefix("sim_"),
            created=now // NANOS_PER_SECOND,
            ask=ask,
            answer=answer,
            told=told,
            delta_bytes=behaviour.style.delta_bytes,
        )
        body = dialect.plain(reply)
        self._journal.append(
            Intent(
                id=identifier,
                request_id=request_id,
                dialect=dialect.name,
                model=ask.model,
                stream=False,
                credential="",
                started=now,
                expected=answer.counts,
            )
        )
        self._journal.append(
            Billed(
                id=identifier,
                request_id=request_id,
                status=200,
                usage=answer.counts,
                told=told == answer.counts,
                bytes_sent=len(body),
                finished=True,
                ended=now,
            )
        )
        return msgspec.json.decode(body)
