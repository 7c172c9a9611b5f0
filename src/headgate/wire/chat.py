"""A conversation with a model, in no provider's words: the hub that all chat formats translate to and from.

Each format reads and writes these, so that n formats need 2n halves and not n x n pairs. What a half cannot express it
refuses by name; nothing here is optional to keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from headgate.base.errors import InvalidRequest
from headgate.base.usage import Usage

Schema = Mapping[str, Any]
"""A JSON schema, passed on as the client wrote it."""


@dataclass(frozen=True, slots=True)
class CacheMarker:
    """The prompt up to and including this part is worth caching; `ttl` is `5m`, `1h` or the provider's default."""

    ttl: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    cache: CacheMarker | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """Either `data` (base64, with its media type) or `url`."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    cache: CacheMarker | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A document: either `data` (base64, with its media type) or `url`."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    name: str | None = None
    cache: CacheMarker | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` is JSON text, as the model wrote it."""

    id: str
    name: str
    arguments: str
    cache: CacheMarker | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    call_id: str
    parts: tuple["Text | Image | File", ...]
    is_error: bool = False
    cache: CacheMarker | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """What the model thought before the next part, and the proof of it that its provider wants back.

    `signature` is opaque to the client. Anthropic's go as they are; those of other providers carry a prefix with a
    colon (base64 has none), so that each is sent back to where it came from and nowhere else.
    """

    text: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class RedactedThinking:
    """Thinking that only Anthropic can read."""

    data: str


def arguments_object(arguments: str) -> dict[str, Any]:
    """The arguments of a tool call as an object, for formats that want one.

    Models also write what is no JSON object; that is kept whole under the key Anthropic's documentation gives for it.
    """
    if not arguments.strip():
        return {}
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"INVALID_JSON": arguments}


UserPart = Text | Image | File | ToolResult
AssistantPart = Text | ToolCall | Thinking | RedactedThinking
Part = UserPart | AssistantPart


@dataclass(frozen=True, slots=True)
class Message:
    """`system` is an instruction in mid-conversation; what leads the conversation is `Chat.system`."""

    role: Literal["user", "assistant", "system"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    description: str | None = None
    parameters: Schema | None = None
    strict: bool = False
    cache: CacheMarker | None = None


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`name` is set where the mode is `named`, and only there."""

    mode: Literal["auto", "none", "required", "named"]
    name: str = ""


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """The answer must be JSON; with a schema, JSON of this shape."""

    schema: Schema | None = None
    name: str = "response"
    description: str | None = None
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How much the model may think before it answers. Neither effort nor budget: as much as it sees fit.

    `effort` is `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`; `budget` is in tokens.
    """

    effort: str | None = None
    budget: int | None = None
    shown: bool = True

    @property
    def off(self) -> bool:
        return self.effort == "none"


EFFORT_BUDGETS: Final[Mapping[str, int]] = MappingProxyType(
    # Google's own mapping of reasoning_effort to thinking budgets; what is above `high` is its largest budget.
    {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 32_768, "max": 32_768}
)


def effort_of(budget: int) -> str:
    """The least effort that covers a thinking budget."""
    return next((effort for effort in ("low", "medium", "high") if budget <= EFFORT_BUDGETS[effort]), "xhigh")


@dataclass(frozen=True, slots=True)
class Chat:
    """A request. `words` are the client's names of the members below, for errors: `{"stop": "stop_sequences"}`."""

    messages: tuple[Message, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool = True
    max_tokens: int | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | None = None
    frequency_penalty: int | float | None = None
    presence_penalty: int | float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    response_format: JsonFormat | None = None
    reasoning: Reasoning | None = None
    stream: bool = False
    include_usage: bool = False
    """Whether the client asked for usage in its stream; only OpenAI chat leaves the choice."""
    user: str | None = None
    cache: CacheMarker | None = None
    """The provider is asked to place a marker itself, at the end of what is cacheable."""
    words: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def cannot(self, member: str, target: str, why: str) -> InvalidRequest:
        """The error for a member that the target's format has no word for; `why` completes "`x` ...: <why>"."""
        word = self.words.get(member, member)
        return InvalidRequest(
            f"`{word}` cannot be sent to this model's provider, which speaks {target}: {why}. "
            "Leave it out, or choose a model of another provider.",
            param=word,
            code="untranslatable",
        )

    def require_absent(self, target: str, why: str, *members: str) -> None:
        """Raises `InvalidRequest` for the first of these that is set."""
        for member in members:
            if getattr(self, member) not in (None, ()):
                raise self.cannot(member, target, why)


class Stop(StrEnum):
    """Why the model stopped."""

    END = "end"
    STOP_SEQUENCE = "stop_sequence"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    REFUSAL = "refusal"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `id` and `model` are empty where the provider gave none."""

    id: str
    model: str
    parts: tuple[AssistantPart, ...]
    stop: Stop
    stop_sequence: str | None = None
    usage: Usage | None = None


def stop_of(stop: Stop, calls: bool) -> Stop:
    """Providers also say they came to an end where they wait for the result of a tool."""
    return Stop.TOOL_CALLS if calls and stop is Stop.END else stop


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an answer says of itself where the provider says nothing; `created` is in seconds since the epoch."""

    id: str
    model: str
    created: int = 0
