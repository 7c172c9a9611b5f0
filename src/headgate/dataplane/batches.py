"""What is peculiar to batches: what of their lines is looked at, and where the lines are."""

from collections.abc import Mapping

from headgate.base.errors import GuardrailDenied, InvalidRequest, NotFound
from headgate.dataplane.attempt import failure
from headgate.dataplane.call import Call
from headgate.dataplane.guard import FAILED, judge, note
from headgate.tenancy.checks.guard import Guard, Guards
from headgate.tenancy.policy import Policy
from headgate.upstream.client import Answer, Failed
from headgate.wire.document import Document
from headgate.wire.texts import request_text

_NONE = Guards()


class LineGuards:
    """Guardrails on the lines of one batch. Refuses those on answers, which nobody sees before their file is read:
    raises `InvalidRequest`."""

    def __init__(self, policy: Policy, metadata: Mapping[str, str]) -> None:
        guards = policy.guardrails or _NONE
        if guards.output:
            raise InvalidRequest(
                f"Batches are not taken where a guardrail looks at answers (here `{guards.output[0].name}`): those of "
                "a batch are in a file that the provider wrote. Send the lines as calls.",
                code="batch_not_guarded",
            )
        self._guards = guards.input
        self._metadata = metadata
        self._failed: dict[Guard, str] = {}

    def check(self, number: int, slug: str, model: str, client: str, document: Document) -> None:
        """One line, as it would be as a call. Raises `GuardrailDenied` naming it."""
        text = None
        for guard in self._guards:
            failed = guard.model_failure(slug, model, self._metadata)
            if failed is None and guard.text_checks:
                text = request_text(client, document) if text is None else text
                failed = guard.text_failure(text)
            if failed is None:
                continue
            if guard.deny:
                raise GuardrailDenied(
                    f"The guardrail `{guard.name}` does not let line {number} of the batch pass (its check `{failed}` "
                    "failed).",
                    param="input_file_id",
                    details={"guardrail": guard.slug, "check": failed, "line": number},
                )
            self._failed.setdefault(guard, failed)

    def tell(self, call: Call) -> None:
        """Once all lines were checked: what failed and may pass is noted in the call."""
        for guard in self._guards:
            judge(call, guard, "request", self._failed.get(guard))
            if guard in self._failed:
                note(call, guard, FAILED)


async def read_lines(answer: Answer, limit: int, call: Call) -> bytes:
    """The input file, from the provider that has it. Raises `NotFound` where it is gone, and `UpstreamFailed`."""
    try:
        content = await answer.read(limit)
    except Failed as failed:
        raise failure(failed, call.target) from failed
    if answer.status != 200:
        raise NotFound("The provider has no such file any more.", param="input_file_id")
    return content
