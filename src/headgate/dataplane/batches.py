"""What is peculiar to batches: who may make one, and what one says of itself."""

from collections.abc import Sequence
from typing import Final

import msgspec

from headgate.base.errors import InvalidRequest, NotFound
from headgate.dataplane.attempt import failure
from headgate.dataplane.call import Call
from headgate.ledger.allowance import Allowance, Resource
from headgate.tenancy.policy import Policy
from headgate.upstream.client import Answer, Failed

_LIMITED: Final = frozenset({Resource.COST, Resource.TOKENS, Resource.INPUT_TOKENS, Resource.OUTPUT_TOKENS})


class _Batch(msgspec.Struct):
    output_file_id: str | None = None
    error_file_id: str | None = None


_batch: Final = msgspec.json.Decoder(_Batch)


def refuse_limited(policy: Policy, allowances: Sequence[Allowance]) -> None:
    """A batch is charged as held, which may be many times what it will have used, and is never looked at line by line.

    Raises `InvalidRequest` where a budget, a token limit or a guardrail applies, which it would use up or go around.
    """
    if policy.limit_policies or policy.guardrails is not None or any(each.resource in _LIMITED for each in allowances):
        raise InvalidRequest(
            "Batches are not taken where a budget, a token limit, a limit policy or a guardrail applies: what a batch "
            "uses is known only hours later, and its lines are not looked at one by one. Send them as calls.",
            code="batch_not_bounded",
        )


async def read_lines(answer: Answer, limit: int, call: Call) -> bytes:
    """The input file, from the provider that has it. Raises `NotFound` where it is gone, and `UpstreamFailed`."""
    try:
        content = await answer.read(limit)
    except Failed as failed:
        raise failure(failed, call.target) from failed
    if answer.status != 200:
        raise NotFound("The provider has no such file any more.", param="input_file_id")
    return content


def results_in(body: bytes) -> list[str]:
    """The files that a batch has made so far."""
    try:
        found = _batch.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return [name for name in (found.output_file_id, found.error_file_id) if name]
