"""What the parts of a config are made of, read one by one; an error names the path of the field."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy.limit_rules import whole

_FORBIDDEN: Final = re.compile(
    r"custom_?host|.*api_?key|authorization|forward_?headers|headers|.*(secret|token|password|credential).*"
    r"|base_?url|url|host|(aws|azure|vertex|google|bedrock|sagemaker|workers_ai|cloudflare|openai|anthropic)_.*"
    r"|resource_?name|deployment_?id|api_?version",
    re.IGNORECASE,
)


def status_codes(value: object, where: str) -> frozenset[int]:
    """Of answers that are no success."""
    found = enumerate(list_of(value, where, 100))
    return frozenset(whole(each, f"{where}[{index}]", low=400, high=599) for index, each in found)


def check_names(fields: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """An unknown field is refused: one that is misspelt must not be taken for one that is in force."""
    for name in fields:
        if name not in known:
            param = f"{where}.{name}"[:200]
            if _FORBIDDEN.fullmatch(name):
                raise InvalidRequest(
                    f"`{param}` would name a host or a credential. A config cannot: an administrator sets both on the "
                    "integration; name a `provider` that is here.",
                    param=param,
                )
            raise InvalidRequest(f"`{param}` is not known here. Known: {', '.join(sorted(known))}.", param=param)


def mapping(value: object, where: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise wrong(where, "an object")
    return value


def list_of(value: object, where: str, most: int) -> Sequence[Any]:
    """At least one, at most so many."""
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise wrong(where, f"a list of 1 to {most}")
    return value


def text(value: object, where: str) -> str:
    """A name, an id, a slug."""
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise wrong(where, "a string of 1 to 200 characters")
    return value


def wrong(where: str, expected: str) -> InvalidRequest:
    """The error for a field; `expected` completes the sentence "`field` must be ..."."""
    return InvalidRequest(f"`{where}` must be {expected}.", param=where)
