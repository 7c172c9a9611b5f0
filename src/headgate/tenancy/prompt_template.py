"""What a stored prompt comes to once its variables are known: a chat request.

A variable stands in a text as `{{name}}`. What takes its place is text there and nothing else: no value can add a
message, a part of one, or another variable.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from headgate.base.errors import InvalidRequest
from headgate.tenancy.prompt import Prompt

_VARIABLE: Final = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.-]{0,99})\s*\}\}")
VARIABLES: Final = "variables"
MESSAGES: Final = "messages"


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """`slug` is what usage records say."""

    slug: str
    messages: Sequence[Any]
    settings: Mapping[str, Any]
    """The model, and all else of the request."""

    def render(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The chat request for these `variables`; other members of `request` go before those of the prompt. Raises
        `InvalidRequest` naming what is missing or wrong."""
        given = request.get(VARIABLES)
        if given is not None and not isinstance(given, Mapping):
            raise InvalidRequest("`variables` must be an object.", param=VARIABLES)
        if MESSAGES in request:
            raise InvalidRequest(
                "The messages are the prompt's. Send `variables`, or call `/v1/chat/completions`.", param=MESSAGES
            )
        more = {name: value for name, value in request.items() if name != VARIABLES}
        return {**self.settings, **more, MESSAGES: _filled(self.messages, given or {})}

    @property
    def variables(self) -> list[str]:
        """Their names, in the order in which they are first used."""
        return list(dict.fromkeys(_VARIABLE.findall(msgspec.json.encode(self.messages).decode())))


def template_of(prompt: Prompt) -> PromptTemplate:
    document = prompt.document
    settings = dict(document.get("parameters") or {})
    if document.get("model"):
        settings["model"] = document["model"]
    return PromptTemplate(prompt.slug, document[MESSAGES], settings)


def templates_of(prompts: Iterable[Prompt]) -> dict[str, PromptTemplate]:
    """By slug and by id."""
    found = [(prompt, template_of(prompt)) for prompt in prompts]
    return {name: template for prompt, template in found for name in (prompt.id, prompt.slug)}


def _filled(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _text(match[1], variables), value)
    if isinstance(value, Mapping):
        return {name: _filled(each, variables) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_filled(each, variables) for each in value]
    return value


def _text(name: str, variables: Mapping[str, Any]) -> str:
    if name not in variables:
        raise InvalidRequest(f"The prompt needs the variable `{name}`.", param=f"{VARIABLES}.{name}")
    value = variables[name]
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
