"""The terms of a target: retries, deadlines, overrides, guardrails; and the cache of a config as a whole."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from headgate.base.errors import InvalidRequest
from headgate.tenancy.limit_rules import whole
from headgate.tenancy.route_fields import check_names, list_of, mapping, status_codes, text, wrong
from headgate.tenancy.route_nodes import CacheRules, Retry, Terms

MOST_RETRIES: Final = 5
RETRIED: Final = frozenset({429, 500, 502, 503, 504})
"""What is tried again where a config does not say."""
MOST_OVERRIDES: Final = 50
MOST_GUARDRAILS: Final = 20
LONGEST_TIMEOUT_MS: Final = 3_600_000
LONGEST_AGE_S: Final = 30 * 24 * 3600
_NOT_OVERRIDDEN: Final = ("stream", "metadata", "user")
"""Who calls, and in which shape it is answered, is the call's own."""
_MEMBER: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def terms_of(fields: Mapping[str, Any], where: str, above: Terms) -> Terms:
    """Those of a node: its own, and for the rest those of the nodes it stands in."""
    terms = above
    if fields.get("retry") is not None:
        terms = replace(terms, retry=_retry(fields["retry"], f"{where}.retry"))
    if (timeout := fields.get("request_timeout")) is not None:
        milliseconds = whole(timeout, f"{where}.request_timeout", low=1, high=LONGEST_TIMEOUT_MS)
        terms = replace(terms, request_timeout_ms=milliseconds)
    if fields.get("override_params") is not None:
        own = _overrides(fields["override_params"], f"{where}.override_params")
        terms = replace(terms, overrides=tuple((dict(terms.overrides) | own).items()))
    if incoming := _guardrails(fields, where, "input_guardrails", "before_request_hooks"):
        terms = replace(terms, input_guardrails=incoming)
    if outgoing := _guardrails(fields, where, "output_guardrails", "after_request_hooks"):
        terms = replace(terms, output_guardrails=outgoing)
    return terms


def _retry(value: object, where: str) -> Retry:
    fields = mapping(value, where)
    waits = ("use_retry_after_headers", "use_retry_after_header")
    check_names(fields, frozenset({"attempts", "on_status_codes", *waits}), where)
    codes = fields.get("on_status_codes")
    asked = next((fields[name] for name in waits if fields.get(name) is not None), True)
    if not isinstance(asked, bool):
        raise wrong(f"{where}.{waits[0]}", "true or false")
    return Retry(
        whole(fields.get("attempts", 0), f"{where}.attempts", low=0, high=MOST_RETRIES),
        RETRIED if codes is None else status_codes(codes, f"{where}.on_status_codes"),
        asked,
    )


def cache_rules(value: object, where: str) -> CacheRules:
    """`{"mode": "simple", "max_age": seconds}`, or only the mode."""
    fields = mapping({"mode": value} if isinstance(value, str) else value, where)
    check_names(fields, frozenset({"mode", "max_age"}), where)
    if fields.get("mode") != "simple":
        raise wrong(f"{where}.mode", "`simple`: an answer is only given again for the very same request")
    age = fields.get("max_age")
    return CacheRules(None if age is None else whole(age, f"{where}.max_age", low=1, high=LONGEST_AGE_S))


def _overrides(value: object, where: str) -> dict[str, bytes]:
    fields = mapping(value, where)
    if len(fields) > MOST_OVERRIDES:
        raise InvalidRequest(f"`{where}` has more than {MOST_OVERRIDES} members.", param=where)
    for name in fields:
        if name in _NOT_OVERRIDDEN or _MEMBER.fullmatch(name) is None:
            raise InvalidRequest(f"`{where}.{name[:100]}` cannot be overridden.", param=f"{where}.{name}"[:200])
    return {name: msgspec.json.encode(each) for name, each in fields.items() if name != "model"}


def _guardrails(fields: Mapping[str, Any], where: str, *names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for name in names for each in _ids(fields.get(name), f"{where}.{name}")))


def _ids(value: object, where: str) -> Iterator[str]:
    for index, each in enumerate([] if value in (None, []) else list_of(value, where, MOST_GUARDRAILS)):
        param = f"{where}[{index}]"
        yield text(each.get("id") if isinstance(each, Mapping) else each, param)
