"""The checks on texts that come with Headgate: names and parameters as in Portkey's API, each exact and quick.

`not: true` turns a check around. An empty text (a call without any) is a text like another.
"""

import re
from collections.abc import Callable
from typing import Final

from headgate.tenancy.checks.check import Parameters, TextCheck, TextCheckKind
from headgate.tenancy.checks.pattern import pattern

MOST: Final = 2**53 - 1


def regex_match(parameters: Parameters) -> TextCheck:
    """`rule`, a regular expression in RE2's syntax, is found in the text."""
    found_in = pattern(parameters.value("rule"), parameters.param("rule")).found_in
    return _turned(found_in, parameters)


def contains(parameters: Parameters) -> TextCheck:
    """`any`, `all` or `none` (`operator`) of the `words` are in the text, letter by letter."""
    words = parameters.texts("words")
    match parameters.one_of("operator", "any", "all", "none"):
        case "all":
            return _turned(lambda text: all(word in text for word in words), parameters)
        case "none":
            return _turned(lambda text: not any(word in text for word in words), parameters)
        case _:
            return _turned(lambda text: any(word in text for word in words), parameters)


def word_count(parameters: Parameters) -> TextCheck:
    """Between `minWords` and `maxWords`: what white space separates."""
    return _counted(parameters, "Words", lambda text: len(text.split()))


def character_count(parameters: Parameters) -> TextCheck:
    """Between `minCharacters` and `maxCharacters`: Unicode code points."""
    return _counted(parameters, "Characters", len)


def sentence_count(parameters: Parameters) -> TextCheck:
    """Between `minSentences` and `maxSentences`: a full stop, exclamation or question mark ends one."""
    return _counted(parameters, "Sentences", lambda text: len(_SENTENCE_ENDS.findall(text)))


def ends_with(parameters: Parameters) -> TextCheck:
    """The text ends with `suffix`, or with it and a full stop."""
    suffix = parameters.text("suffix")
    return _turned(lambda text: text.endswith((suffix, f"{suffix}.")), parameters)


def all_uppercase(parameters: Parameters) -> TextCheck:
    """No letter is lower case."""
    return _turned(lambda text: text == text.upper(), parameters)


def all_lowercase(parameters: Parameters) -> TextCheck:
    """No letter is upper case."""
    return _turned(lambda text: text == text.lower(), parameters)


TEXT_CHECKS: Final = (
    TextCheckKind("default.regexMatch", regex_match),
    TextCheckKind("default.contains", contains),
    TextCheckKind("default.wordCount", word_count),
    TextCheckKind("default.characterCount", character_count),
    TextCheckKind("default.sentenceCount", sentence_count),
    TextCheckKind("default.endsWith", ends_with),
    TextCheckKind("default.alluppercase", all_uppercase),
    TextCheckKind("default.alllowercase", all_lowercase),
)

_SENTENCE_ENDS: Final = re.compile(r"[.!?]")


def _turned(check: Callable[[str], bool], parameters: Parameters) -> TextCheck:
    if parameters.boolean("not"):
        return lambda text: not check(text)
    return check


def _counted(parameters: Parameters, what: str, count: Callable[[str], int]) -> TextCheck:
    least, most = parameters.count(f"min{what}", 0), parameters.count(f"max{what}", MOST)
    if most < least:
        raise parameters.wrong(f"max{what}", f"at least `min{what}`")
    return _turned(lambda text: least <= count(text) <= most, parameters)
