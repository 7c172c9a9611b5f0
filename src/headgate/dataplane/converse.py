"""The dialogue of one call with one target: the client's format on one side, the provider's on the other."""

from headgate.base.clock import NANOS_PER_SECOND
from headgate.catalog.bound import DEFAULT_MAX_OUTPUT, Bound
from headgate.dataplane.call import Call
from headgate.routing.plan import Target
from headgate.wire.dialogue import Dialogue
from headgate.wire.registry import open_dialogue

LIMIT_MEMBER = {"openai_responses": "max_output_tokens"}
"""What a client's format calls its output limit, where it is not `max_tokens`."""


def converse(call: Call, target: Target, bound: Bound) -> Dialogue:
    """Opens it. Where the bound stands on an output limit that nobody set, that limit is sent."""
    assert call.document is not None
    assert call.head is not None
    client = call.endpoint.format
    facts, limit = target.facts, bound.needs_output_limit
    name = target.spec.max_tokens_field if client == "openai_chat" else LIMIT_MEMBER.get(client, "max_tokens")
    largest = facts.max_output if facts is not None else None
    return open_dialogue(
        client,
        target.format,
        call.document,
        call.head,
        target.model,
        overrides=None if limit is None else {name: b"%d" % limit},
        ask_usage=target.spec.stream_usage == "asked",
        hidden_tokens=facts is not None and "reasoning" in facts.capabilities,
        default_max_tokens=largest or DEFAULT_MAX_OUTPUT,
        limit_member=target.spec.max_tokens_field,
        request_id=call.request_id,
        created=call.started_at // NANOS_PER_SECOND,
    )
