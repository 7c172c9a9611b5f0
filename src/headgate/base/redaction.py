"""Taking credentials out of what is kept or printed: by the name of a field, and by what a value looks like."""

import re
from collections.abc import Mapping
from typing import Any, Final

REDACTED: Final = "***"

_SECRET_NAME = re.compile(
    r"(?:^|[_-])(?:authorization|password|secret|token|cookie|pepper|(?:api|admin|master)[_-]?key)$", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    r"""
      \b hg_[0-9a-z]{4,}_[0-9a-z]{8,}_[0-9a-z]+       # our own API keys
    | \b (?:sk|rk|pk|gsk|xai|csk|fw|tgp|sk-ant|whsec)[-_][A-Za-z0-9_-]{12,}   # providers' keys, webhook secrets
    | \b AIza[A-Za-z0-9_-]{20,}
    | (?<=bearer\s) [^\s"',;]{8,}
    | (?<=://) [^\s/@:]* : [^\s/@]+ (?=@)             # user and password in a URL
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redacted(name: str, value: Any) -> Any:
    """The value, or `***` where it is named like a credential; what looks like one is taken out of any text in it."""
    return REDACTED if _SECRET_NAME.search(name) and isinstance(value, str | bytes) else without_secrets(value)


def without_secrets(value: Any) -> Any:
    """The same with everything that looks like a credential taken out. What is not JSON becomes text."""
    match value:
        case str():
            return _SECRET_VALUE.sub(REDACTED, value)
        case bytes():
            return _SECRET_VALUE.sub(REDACTED, value.decode("utf-8", "replace"))
        case Mapping():
            return {str(name): redacted(str(name), each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [without_secrets(each) for each in value]
        case _:
            # Numbers, truth values and None as they are; anything else as it prints.
            return value if value is None or isinstance(value, bool | int | float) else without_secrets(repr(value))
