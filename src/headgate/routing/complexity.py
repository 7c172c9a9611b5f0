"""Whether a request is simple or complex: by its length, by words that ask for thought, by tools and images.

A platform that knows better brings its own classifier: a function in the entry point group `headgate.complexity`. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final

from headgate.catalog.content import content_of
from headgate.tenancy.routing_table import COMPLEX, LEVELS, SIMPLE, ComplexityRules
from headgate.wire.document import Document
from headgate.wire.texts import asked_text, request_text

GROUP: Final = "headgate.complexity"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a classifier looks at."""

    text: str
    """All text of the request."""
    asked: str
    """Of it, what system and user said."""
    tools: bool
    images: bool

    @classmethod
    def of(cls, format_name: str, document: Document) -> "Prompt":
        """Content may be text or lists of parts, in every format that clients speak."""
        request = document.decode()
        return cls(
            request_text(format_name, document),
            asked_text(format_name, document),
            bool(request.get("tools") or request.get("functions")),
            content_of(format_name, request).images > 0,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """`level` is `simple` or `complex`; `why` has a sentence for each reason."""

    level: str
    why: tuple[str, ...]


Classifier = Callable[[Prompt, ComplexityRules], Verdict]


def classify(prompt: Prompt, rules: ComplexityRules) -> Verdict:
    """The built-in classifier: one reason is enough to be complex."""
    why = []
    if len(prompt.text) > rules.length:
        why.append(f"its text has {len(prompt.text):,} characters, more than {rules.length:,}")
    asked = prompt.asked.lower()
    if (word := next((word for word in rules.keywords if word in asked), None)) is not None:
        why.append(f"system or user text says `{word}`")
    if rules.tools and prompt.tools:
        why.append("it brings tools")
    if rules.images and prompt.images:
        why.append("it brings images")
    if why:
        return Verdict(COMPLEX, tuple(why))
    return Verdict(SIMPLE, (f"its text has {len(prompt.text):,} characters and nothing that asks for more",))


class UnknownLevel(ValueError):
    """A classifier that was brought along said something that is no level."""


def classifier() -> Classifier:
    """The installed one, else the built-in one. Raises `ValueError` where more than one is installed."""
    found = sorted(entry_points(group=GROUP), key=lambda each: each.name)
    if not found:
        return classify
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        raise ValueError(f"more than one package offers a classifier ({GROUP}: {names}); install one of them")
    own = found[0].load()

    def checked(prompt: Prompt, rules: ComplexityRules) -> Verdict:
        level = own(prompt, rules)
        if isinstance(level, Verdict):
            return level
        if level not in LEVELS:
            raise UnknownLevel(f"the classifier {found[0].name} said {level!r}; the levels are {', '.join(LEVELS)}")
        return Verdict(level, (f"the classifier `{found[0].name}` says so",))

    return checked
