"""Regular expressions that cannot be made to take long: matching takes time in proportion to the text, whatever the
pattern (RE2). What that rules out, look-around and back-references, is refused by name."""

from functools import lru_cache
from typing import Final

import re2

from headgate.base.errors import InvalidRequest

LONGEST: Final = 2_048
"""Characters of a pattern."""


class Pattern:
    """A compiled pattern."""

    __slots__ = ("_search", "text")

    def __init__(self, text: str) -> None:
        """Raises `ValueError` saying why it is none."""
        if len(text) > LONGEST:
            raise ValueError(f"it is longer than {LONGEST} characters")
        options = re2.Options()
        options.log_errors = False
        try:
            self._search = re2.compile(text, options).search
        except re2.error as error:
            [why] = error.args
            raise ValueError(why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)) from None
        except UnicodeEncodeError:
            raise ValueError("it holds a character that is no text") from None
        self.text = text

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere in the text."""
        return self._search(text.encode("utf-8", "replace")) is not None


def pattern(value: object, param: str) -> Pattern:
    """Raises `InvalidRequest` naming the field."""
    if not isinstance(value, str):
        raise InvalidRequest(f"`{param}` must be a regular expression.", param=param)
    try:
        return compiled(value)
    except ValueError as error:
        raise InvalidRequest(
            f"`{param}` is not a regular expression that can be matched in linear time (RE2's syntax): {error}.",
            param=param,
        ) from None


@lru_cache(maxsize=1024)
def compiled(text: str) -> Pattern:
    """The pattern, compiled once. Raises `ValueError` saying why it is none."""
    return Pattern(text)
