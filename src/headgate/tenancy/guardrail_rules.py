"""What a guardrail's checks and actions may be, and how they are made ready to be asked."""

from collections.abc import Mapping
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy import rules
from headgate.tenancy.checks.check import ModelCheck, ModelCheckKind, Parameters, TextCheck
from headgate.tenancy.checks.guard import Guard
from headgate.tenancy.checks.registry import checks
from headgate.tenancy.guardrail import Guardrail
from headgate.tenancy.opinion import Opinion, opinion

MOST_CHECKS: Final = 20
LARGEST: Final = 64 * 1024
"""Characters of one check, and of the actions, as JSON."""
SWITCHES: Final = ("deny", "async")
OPINIONS: Final = ("on_success", "on_fail")

Checks = tuple[Mapping[str, Any], ...]


def guardrail_checks(value: object) -> Checks:
    """Read from a request. Raises `InvalidRequest` naming the check and its parameter."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_CHECKS:
        raise InvalidRequest(f"`checks` must be a list of 1 to {MOST_CHECKS} checks.", param="checks")
    found = tuple(_check(each, f"checks[{index}]") for index, each in enumerate(value))
    built(found)
    return found


def guardrail_actions(value: object) -> dict[str, Any]:
    """Read from a request. What is not known here is kept, and has no effect."""
    actions = rules.document(value or {}, "actions", LARGEST)
    for name in SWITCHES:
        if not isinstance(actions.setdefault(name, False), bool):
            raise InvalidRequest(f"`actions.{name}` must be true or false.", param=f"actions.{name}")
    if actions["deny"] and actions["async"]:
        raise InvalidRequest(
            "`actions.async` does not wait for the checks, so it cannot `deny`.", param="actions.async"
        )
    for name in OPINIONS:
        _opinion(actions, name)
    return actions


def built(found: Checks) -> tuple[list[tuple[str, ModelCheck]], list[tuple[str, TextCheck]]]:
    """Those that are switched on, in their order. Raises `InvalidRequest` naming what cannot be built."""
    of_models: list[tuple[str, ModelCheck]] = []
    of_texts: list[tuple[str, TextCheck]] = []
    for index, each in enumerate(found):
        kind = checks().get(each["id"])
        if kind is None:
            known = ", ".join(checks())
            raise InvalidRequest(
                f"`checks[{index}].id`: there is no check `{each['id'][:100]}`. There are: {known}.",
                param=f"checks[{index}].id",
            )
        parameters = Parameters(each["parameters"], f"checks[{index}].parameters")
        if isinstance(kind, ModelCheckKind):
            model_check = kind.build(parameters)
            if each["is_enabled"]:
                of_models.append((kind.id, model_check))
        else:
            text_check = kind.build(parameters)
            if each["is_enabled"]:
                of_texts.append((kind.id, text_check))
    return of_models, of_texts


def guard_of(guardrail: Guardrail) -> Guard:
    """Ready to be asked. Raises `InvalidRequest` where one of its checks is no longer installed."""
    of_models, of_texts = built(guardrail.checks)
    return Guard(
        id=guardrail.id,
        slug=guardrail.slug,
        name=guardrail.name,
        deny=guardrail.actions["deny"],
        told=not guardrail.actions["async"],
        model_checks=tuple(of_models),
        text_checks=tuple(of_texts),
        on_success=_opinion(guardrail.actions, "on_success"),
        on_fail=_opinion(guardrail.actions, "on_fail"),
    )


def _opinion(actions: Mapping[str, Any], name: str) -> Opinion | None:
    """What a guardrail thinks of a call. Raises `InvalidRequest` naming the field; None: it says nothing."""
    at = f"actions.{name}"
    told = actions.get(name) or {}
    if not isinstance(told, Mapping):
        raise InvalidRequest(f"`{at}` must be an object.", param=at)
    feedback = told.get("feedback")
    if not feedback:
        return None
    if not isinstance(feedback, Mapping):
        raise InvalidRequest(f"`{at}.feedback` must be an object.", param=f"{at}.feedback")
    return opinion(feedback, f"{at}.feedback")


def _check(value: object, at: str) -> dict[str, Any]:
    check = rules.document(value, at, LARGEST)
    if not isinstance(check.get("id"), str):
        raise InvalidRequest(f"`{at}.id` is missing: which check it is.", param=f"{at}.id")
    parameters = check.get("parameters")
    if not isinstance(parameters, dict | None):
        raise InvalidRequest(f"`{at}.parameters` must be an object.", param=f"{at}.parameters")
    if not isinstance(check.get("is_enabled", True), bool):
        raise InvalidRequest(f"`{at}.is_enabled` must be true or false.", param=f"{at}.is_enabled")
    name = check.get("name")
    return {
        "id": check["id"],
        "name": rules.name(name, f"{at}.name") if name else check["id"],
        "is_enabled": check.get("is_enabled", True),
        "parameters": parameters or {},
    }
