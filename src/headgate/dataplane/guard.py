"""Guardrails on a call: the model it goes to and the text it brings, before it is held."""

from collections.abc import Iterable, Sequence

from headgate.base.errors import GuardrailDenied, InvalidRequest
from headgate.catalog.catalog import Catalog
from headgate.dataplane.call import Call
from headgate.routing.resolve import SHOWN, allowed_models
from headgate.tenancy.checks.guard import Guard, Guards
from headgate.wire.texts import request_text

FAILED = "guardrail_failed:"
"""The flag of a call that went on although a guardrail failed: with the guardrail's slug."""
DENIED = "guardrail_denied:"
"""The flag of a call whose answer a guardrail kept back."""


def guard_request(
    call: Call, guards: Guards, catalog: Catalog, *, of_input: Sequence[str] = (), of_output: Sequence[str] = ()
) -> None:
    """Step 3, once it is known where the call goes: those of the policy, then those that its config names.

    Raises `GuardrailDenied` naming the guardrail and its check; nothing was held by then. What fails and may pass is
    noted in the call.
    """
    call.output_guards = _chosen(guards, guards.output, of_output)
    call.input_guards = _chosen(guards, guards.input, of_input)
    slug, model, text = call.target.provider.slug, call.target.model, None
    for guard in call.input_guards:
        failed = of_model = guard.model_failure(slug, model, call.metadata)
        if of_model is None and guard.text_checks:
            text = request_text(call.endpoint.format, call.document) if text is None else text
            failed = guard.text_failure(text)
        judge(call, guard, "request", failed)
        if failed is None:
            continue
        if guard.deny:
            raise denied(guard, failed, "request") if of_model is None else _model_denied(call, guard, failed, catalog)
        note(call, guard, FAILED)


def model_allowed(call: Call) -> bool:
    """Whether no guardrail refuses the model that the call goes to now."""
    target = call.target
    return all(
        not guard.deny or guard.model_failure(target.provider.slug, target.model, call.metadata) is None
        for guard in call.input_guards
    )


def _model_denied(call: Call, guard: Guard, check: str, catalog: Catalog) -> GuardrailDenied:
    found = allowed_models(call.policy, catalog, call.started_at, call.metadata)
    allowed = [f"@{provider.slug}/{model}" for provider, model in found]
    listed = ", ".join(f"`{name}`" for name in allowed[:SHOWN]) or "none"
    return GuardrailDenied(
        f"The guardrail `{guard.name}` does not let this call go to the model `{call.target.model[:200]}`. Allowed: "
        f"{listed}{' and more (GET /v1/models)' if len(allowed) > SHOWN else ''}.",
        param="model",
        details={"guardrail": guard.slug, "check": check, "allowed": allowed[:SHOWN]},
    )


def denied(guard: Guard, check: str, what: str) -> GuardrailDenied:
    """The error for what a guardrail refuses: a request or an answer."""
    return GuardrailDenied(
        f"The guardrail `{guard.name}` does not let this {what} pass (its check `{check}` failed).",
        details={"guardrail": guard.slug, "check": check},
    )


def judge(call: Call, guard: Guard, what: str, failed: str | None) -> None:
    """For the feedback that the guardrail gives on a request or an answer once the call is over."""
    if guard.judges:
        call.judged += ((guard, what, failed is None),)


def note(call: Call, guard: Guard, flag: str) -> None:
    """For its usage record, and, unless the guardrail is async, for the client."""
    mark = f"{flag}{guard.slug}"
    if mark not in call.guardrails:
        call.guardrails += (mark,)
        if guard.told:
            call.guardrails_told += (guard.slug,)


def _chosen(guards: Guards, always: tuple[Guard, ...], names: Iterable[str]) -> tuple[Guard, ...]:
    if not names:
        return always
    found = {guard.id: guard for guard in always}
    for name in names:
        if (guard := guards.named.get(name)) is None:
            raise InvalidRequest(f"The config names the guardrail `{name[:100]}`, which is not here.", param="config")
        found[guard.id] = guard
    return tuple(found.values())
