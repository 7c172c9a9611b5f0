"""`key=value` on the command line."""

from collections.abc import Sequence

from headgate.base.errors import InvalidRequest


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """By key. Raises `InvalidRequest` naming the option where a text has no `=`, or nothing before it."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InvalidRequest(f"{option}: `{text}` is not `key=value`.")
        found[key] = value
    return found
