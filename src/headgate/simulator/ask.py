"""What a request wants, whatever its dialect: the simulator's common ground."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


class ProviderError(Exception):
    """An error answer, to be told in the caller's dialect."""

    def __init__(
        self, status: int, message: str, *, retry_after: int | None = None, location: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after
        self.location = location


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call."""

    name: str
    schema: Any


@dataclass(frozen=True, slots=True)
class Prefix:
    """The part of a prompt that is to be cached: what tells it apart, its tokens, whether it is kept for an hour."""

    key: str
    tokens: int
    hour: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """`text` is the last thing the user said; `limit` the most output tokens; `tool_choice` one of auto, none, required
    or a tool's name; `answered_tool` says that the last message is a tool's result, so that a text is due.
    """

    model: str
    text: str
    input_tokens: int
    stream: bool = False
    limit: int | None = None
    choices: int = 1
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    answered_tool: bool = False
    structured: bool = False
    schema: Any = None
    thinking: bool = False
    prefix: Prefix | None = None
    tells_usage: bool = True
    """Whether a stream ends with the usage: OpenAI's chat dialect does only where it was asked to."""
    wants_text: bool = True
    """Embeddings and counts of tokens have no output."""
    bill: Mapping[str, int] | None = None
    """What an endpoint bills that is no conversation; None: what was read and written."""
    kind: str = "application/json"
    """The content type of a whole answer."""
    extras: Mapping[str, Any] = field(default_factory=dict)
    """What only the dialect itself needs to answer."""


def required(body: Json, name: str, kind: type | tuple[type, ...]) -> Any:
    """The member, or a 400 that names it."""
    value = body.get(name)
    if not isinstance(value, kind):
        raise ProviderError(400, f"Missing or wrong parameter: '{name}'.")
    return value


def optional_int(body: Json, *names: str) -> int | None:
    """The first of the members that is there; a 400 that names it unless it is an integer of at least 1."""
    for name in names:
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ProviderError(400, f"Invalid '{name}': integer below minimum value. Expected a value >= 1.")
        return value
    return None


def last_text(contents: Iterable[Any]) -> str:
    """The text of the last of these that has any: a message of tool results has none."""
    return next((text for content in reversed(list(contents)) if (text := text_of(content))), "")


def text_of(content: Any) -> str:
    """All text of a message's content, be it a string, a list of parts, or absent."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)
    return ""
