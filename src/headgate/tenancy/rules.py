"""What names, slugs, texts and metadata may be. The same for every noun."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.base.ids import slug_from

NAME_LENGTH: Final = 255
TEXT_LENGTH: Final = 4_096
METADATA_LENGTH: Final = 128
METADATA_KEYS: Final = 64
DEEPEST: Final = 50
"""Levels of a document that is kept."""
_SLUG: Final = re.compile(r"[a-zA-Z0-9_-]{1,100}")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def name(value: object, param: str = "name") -> str:
    """One line of text, without the blanks around it."""
    found = text(value, param, NAME_LENGTH).strip()
    if not found:
        raise InvalidRequest(f"`{param}` must not be empty.", param=param)
    if _CONTROL.search(found):
        raise InvalidRequest(f"`{param}` must be one line without control characters.", param=param)
    return found


def text(value: object, param: str, longest: int = TEXT_LENGTH) -> str:
    """Text that every database takes: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str):
        raise InvalidRequest(f"`{param}` must be a string.", param=param)
    if len(value) > longest:
        raise InvalidRequest(f"`{param}` is longer than {longest} characters.", param=param)
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidRequest(f"`{param}` holds a character that is no text.", param=param)
    return value


def slug(value: object, param: str = "slug") -> str:
    """As given: letters, digits, hyphen and underscore, at most 100."""
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise InvalidRequest(
            f"`{param}` must be 1 to 100 letters, digits, hyphens or underscores (^[a-zA-Z0-9_-]+$).", param=param
        )
    return value


def slug_for(named: str, taken: Callable[[str], bool], fallback: str) -> str:
    """A slug made from a name, numbered where another object has it already."""
    base = slug_from(named)[:90].strip("-") or fallback
    found, number = base, 2
    while taken(found):
        found, number = f"{base}-{number}", number + 1
    return found


def metadata(value: object, param: str = "defaults.metadata") -> dict[str, str]:
    """Key to text. Numbers and booleans are taken as their JSON text; None is no metadata."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"`{param}` must be an object of strings.", param=param)
    if len(value) > METADATA_KEYS:
        raise InvalidRequest(f"`{param}` has more than {METADATA_KEYS} keys.", param=param)
    return {_metadata_name(key, param): _metadata_value(each, f"{param}.{key}") for key, each in value.items()}


def _metadata_name(value: object, param: str) -> str:
    if isinstance(value, str) and not value.strip():
        raise InvalidRequest(f"`{param}` has an entry without a name.", param=param)
    return name(value, param)


def _metadata_value(value: Any, param: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        value = str(value)
    return text(value, param, METADATA_LENGTH)


def document(value: object, param: str, longest: int) -> dict[str, Any]:
    """A JSON object that every database takes, of so many characters at most and not nested without end."""
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"`{param}` must be an object.", param=param)
    _refuse_deep(value, param)
    try:
        written = json.dumps(value, ensure_ascii=False, allow_nan=False)
        written.encode()
    except (ValueError, RecursionError):  # no number, half of a surrogate pair, too deep
        raise InvalidRequest(f"`{param}` holds what is no JSON that can be kept.", param=param) from None
    if len(written) > longest:
        raise InvalidRequest(f"`{param}` is longer than {longest} characters.", param=param)
    if "\\u0000" in written:
        raise InvalidRequest(f"`{param}` holds a character that is no text.", param=param)
    return dict(value)


def _refuse_deep(value: object, param: str) -> None:
    """Level by level: whoever reads it later goes into it by recursion."""
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise InvalidRequest(f"`{param}` is nested more than {DEEPEST} deep.", param=param)
        level, depth = [inner for each in level for inner in _inside(each)], depth + 1


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def texts(value: object, param: str, most: int = 100) -> tuple[str, ...]:
    """A list of one-line texts."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or len(value) > most:
        raise InvalidRequest(f"`{param}` must be a list of at most {most} strings.", param=param)
    return tuple(name(each, f"{param}[{index}]") for index, each in enumerate(value))


def addresses(value: object, param: str) -> tuple[str, ...]:
    """E-mail addresses, plain: without names, comments or quotes."""
    return tuple(address(each, f"{param}[{index}]") for index, each in enumerate(texts(value, param)))


def address(value: object, param: str) -> str:
    """One of them."""
    found = name(value, param)
    if not _ADDRESS.fullmatch(found):
        raise InvalidRequest(f"`{param}` is not an e-mail address.", param=param)
    return found


def refuse_moved(noun: str, fields: Mapping[str, Any], stays: Mapping[str, Collection[object]]) -> None:
    """What is settled when an object is made, by the field: all that a client may say of it who sends back what was
    shown to him. Anything else is refused, lest he think it were done."""
    for field, same in stays.items():
        if field in fields and fields[field] not in same:
            raise InvalidRequest(f"`{field}` cannot be changed later. Make another {noun}.", param=field)
