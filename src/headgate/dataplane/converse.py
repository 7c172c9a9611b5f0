"""The dialogue of one call with one target: the client's format on one side, the provider's on the other."""

from headgate.base.clock import NANOS_PER_SECOND
from headgate.catalog.bound import DEFAULT_MAX_OUTPUT, Bound
from headgate.catalog.units import UNIT_FORMATS
from headgate.dataplane.call import Call
from headgate.dataplane.guarded import guarded
from headgate.dataplane.metered import metered
from headgate.dataplane.recorded import Recorded
from headgate.dataplane.remembered import Remembered
from headgate.routing.plan import Target
from headgate.wire.dialogue import Dialogue
from headgate.wire.document import Document
from headgate.wire.registry import open_dialogue

LIMIT_MEMBERS = {
    "openai_chat": ("max_tokens", "max_completion_tokens"),
    "openai_responses": ("max_output_tokens",),
}
"""What a client's format calls its output limit, where it is not only `max_tokens`."""


def converse(call: Call, target: Target, bound: Bound) -> Dialogue:
    """Opens it. Where the bound stands on an output limit that is not the client's, that limit is sent."""
    client = call.endpoint.format
    facts = target.facts
    largest = facts.max_output if facts is not None else None
    dialogue = open_dialogue(
        client,
        target.format,
        call.document,
        call.head,
        target.model,
        overrides=_limited(call.document, client, target, bound.needs_output_limit),
        ask_usage=target.spec.stream_usage == "asked",
        hidden_tokens=facts is not None and "reasoning" in facts.capabilities,
        default_max_tokens=largest or DEFAULT_MAX_OUTPUT,
        limit_member=target.spec.max_tokens_field,
        request_id=call.request_id,
        created=call.started_at // NANOS_PER_SECOND,
    )
    if client in UNIT_FORMATS:
        return metered(call, dialogue)
    if call.noted is not None:
        dialogue = Remembered(dialogue, call.noted)
    if call.output_guards:
        dialogue = guarded(call, dialogue)
    return Recorded(dialogue, call.record_up_to) if call.record_up_to else dialogue


def _limited(document: Document, client: str, target: Target, limit: int | None) -> dict[str, bytes | None] | None:
    """The limit in every member where the client set one, so that no other stays; else where the provider knows it."""
    if limit is None:
        return None
    names = LIMIT_MEMBERS.get(client, ("max_tokens",))
    own = [name for name in names if name in document]
    default = target.spec.max_tokens_field if client == "openai_chat" else names[0]
    return dict.fromkeys(own or [default], b"%d" % limit)
