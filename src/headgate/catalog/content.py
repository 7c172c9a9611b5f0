"""What a request carries besides text: images, sound, and what only the provider can measure.

Text is bounded by the bytes of the body, for every tokenizer in use is made of bytes and JSON only lengthens text. So
only the parts that are not text are looked at: an image counts by the provider's rule and not by its base64; what is
named by an address or an id, or whose tokens do not follow from its bytes, can be as long as the model's context.

The walk follows exactly the places in which a format has content parts. An image-like object anywhere else (the
arguments of a tool call, a schema) is text to the model and stays counted as text.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

Json = Mapping[str, Any]


class Content(msgspec.Struct):
    """`payload` is the base64 of images: bytes of the body that are not read as text."""

    images: int = 0
    payload: int = 0
    audio: bool = False
    opaque: str = ""
    """What has no bound of its own, in words; empty if nothing."""
    marked: bool = False
    """Whether the request asks for something to be written to the prompt cache, and `marked_long` for how long."""
    marked_long: bool = False
    references: list[str] = []
    """Ids of what is kept at the provider and used with the request: responses, messages, conversations, files,
    containers, vector stores, prompts, skills, cached contents."""

    def mark(self, where: Json) -> None:
        """Note the cache marker of an object that can carry one."""
        marker = where.get("cache_control")
        if marker:
            self.marked = True
            self.marked_long |= isinstance(marker, dict) and marker.get("ttl") not in (None, "5m")

    def image(self, data: object) -> None:
        """An image: `data` is its base64 or data URL where it is in the body, anything else where it is elsewhere."""
        self.images += 1
        if isinstance(data, str):
            self.payload += len(data)

    def refer(self, holder: object) -> None:
        """Note the files that an object names."""
        if isinstance(holder, dict):
            self.name(holder.get("file_id"))
            self.name_each(holder.get("file_ids"))

    def name(self, named: object) -> None:
        """Note what is named by its id, or by an object that has one."""
        found = named.get("id") if isinstance(named, dict) else named
        if isinstance(found, str):
            self.references.append(found)

    def name_each(self, named: object) -> None:
        for each in named if isinstance(named, list) else ():
            self.name(each)

    def cannot_tell(self, what: str) -> None:
        self.opaque = self.opaque or what


def content_of(format_name: str, request: Json) -> Content:
    """Read the decoded request of a client's format. Whatever is not understood is opaque, never ignored."""
    content = Content()
    for member in _STATE & request.keys():
        if request[member]:
            content.cannot_tell(f"`{member}`")
        content.name(request[member])
    content.mark(request)
    for holder, member in _COMPARED:
        compared = request.get(holder)
        content.name(compared.get(member) if isinstance(compared, dict) else None)
    _container(request.get("container"), content)
    for tool in _dicts(request.get("tools")):
        _tool(tool, content)
    read = _READERS.get(format_name)
    if read is not None:
        read(request, content)
    return content


_STATE: Final = frozenset({"previous_response_id", "conversation", "cachedContent", "cached_content", "container"})
"""Members that bring content which is kept at the provider."""

_COMPARED: Final = (("prompt_cache_options", "comparison_response_id"), ("diagnostics", "previous_message_id"))
"""Where an earlier call is named, to be told why its prompt was not found in the cache."""

_CHAT_TEXT: Final = frozenset({"text", "refusal", "thinking", "reference"})
_RESPONSES_TEXT: Final = frozenset(
    {
        "message",
        "input_text",
        "output_text",
        "text",
        "refusal",
        "summary_text",
        "reasoning_text",
        "function_call",
        "custom_tool_call",
    }
)
_TOOL_OUTPUTS: Final = frozenset({"function_call_output", "custom_tool_call_output", "computer_call_output"})
_ANTHROPIC_TEXT: Final = frozenset(
    {"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "search_result", "tool_reference"}
)


def _dicts(value: object) -> Iterator[Json]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _kind(part: Json, unsaid: str = "") -> str:
    """Whatever a part says it is, as text."""
    return str(part.get("type", unsaid))[:60]


def _data_url(url: object) -> object:
    return url if isinstance(url, str) and url.startswith("data:image/") else None


def _tool(tool: Json, content: Content) -> None:
    content.mark(tool)
    content.refer(tool.get("input_image_mask"))
    content.name_each(tool.get("vector_store_ids"))
    for member in ("container", "environment"):
        _container(tool.get(member), content)
    if isinstance(container := tool.get("container"), str):
        content.name(container)


def _container(container: object, content: Content) -> None:
    """Where the provider runs code: one that there is, or what is to be in a new one. Skills of the provider's own are
    everybody's."""
    if isinstance(container, dict):
        content.refer(container)
        content.name(container.get("container_id"))
        for skill in _dicts(container.get("skills")):
            named = skill.get("skill_id")
            if skill.get("type") != "anthropic" and not str(named).startswith("openai-"):
                content.name(named)


def _chat(request: Json, content: Content) -> None:
    for message in _dicts(request.get("messages")):
        content.mark(message)
        if message.get("audio"):
            content.cannot_tell("an earlier spoken answer")
        for part in _dicts(message.get("content")):
            _chat_part(part, content)


def _chat_part(part: Json, content: Content) -> None:
    content.mark(part)
    kind = _kind(part)
    if kind == "image_url":
        image = part.get("image_url")
        content.image(_data_url(image.get("url") if isinstance(image, dict) else image))
    elif kind == "input_audio":
        content.audio = True
    elif kind not in _CHAT_TEXT:
        content.refer(part.get("file"))
        content.cannot_tell(f"a content part of type `{kind}`")


def _responses(request: Json, content: Content) -> None:
    if isinstance(prompt := request.get("prompt"), dict):
        content.cannot_tell("a stored `prompt`")
        content.name(prompt)
    for item in _dicts(request.get("input")):
        for tool in _dicts(item.get("tools")):
            _tool(tool, content)
        kind = _kind(item, "message")
        if kind in _TOOL_OUTPUTS:
            output = item.get("output")
            for part in [output] if isinstance(output, dict) else _dicts(output):
                _responses_part(part, content)
        elif kind == "reasoning":
            if not item.get("encrypted_content"):
                content.cannot_tell("reasoning that is kept at the provider")
        elif kind not in _RESPONSES_TEXT:
            _responses_part(item, content)
        for part in _dicts(item.get("content")):
            _responses_part(part, content)


def _responses_part(part: Json, content: Content) -> None:
    kind = _kind(part)
    content.refer(part)
    if kind in {"input_image", "computer_screenshot"}:
        content.image(_data_url(part.get("image_url")))
    elif kind == "input_audio":
        content.audio = True
    elif kind not in _RESPONSES_TEXT:
        content.cannot_tell(f"an input of type `{kind}`")


def _anthropic(request: Json, content: Content) -> None:
    thread = request.get("thread")
    if thread and not (isinstance(thread, dict) and thread.get("type") == "create"):
        content.cannot_tell("a `thread` that is kept at the provider")
        content.name(thread.get("previous_message_id") if isinstance(thread, dict) else None)
    for block in _dicts(request.get("system")):
        _anthropic_block(block, content)
    for message in _dicts(request.get("messages")):
        for block in _dicts(message.get("content")):
            _anthropic_block(block, content)


def _anthropic_block(block: Json, content: Content) -> None:
    content.mark(block)
    kind = _kind(block)
    source = block.get("source")
    content.refer(block)
    content.refer(source)
    for part in _dicts(source.get("content")) if isinstance(source, dict) else ():
        _anthropic_block(part, content)
    if kind == "image":
        inline = isinstance(source, dict) and source.get("type") == "base64"
        content.image(source.get("data") if isinstance(source, dict) and inline else None)
    elif kind == "tool_result":
        for part in _dicts(block.get("content")):
            _anthropic_block(part, content)
    elif kind not in _ANTHROPIC_TEXT:
        content.cannot_tell(f"a content block of type `{kind}`")


def _gemini(request: Json, content: Content) -> None:
    system = request.get("systemInstruction", request.get("system_instruction"))
    turns = [*_dicts(request.get("contents")), *([system] if isinstance(system, dict) else [])]
    for turn in turns:
        for part in _dicts(turn.get("parts")):
            _gemini_part(part, content)


def _gemini_part(part: Json, content: Content) -> None:
    response = part.get("functionResponse", part.get("function_response"))
    if isinstance(response, dict):
        for nested in _dicts(response.get("parts")):
            _gemini_part(nested, content)
    blob = part.get("inlineData", part.get("inline_data"))
    if isinstance(blob, dict):
        mime = str(blob.get("mimeType", blob.get("mime_type", "")))
        if mime.startswith("image/"):
            content.image(blob.get("data"))
        elif mime.startswith("audio/"):
            content.audio = True
        else:
            content.cannot_tell(f"data of the kind `{mime[:50]}`")
    for member in ("fileData", "file_data", "executableCode", "codeExecutionResult"):
        if member in part:
            content.cannot_tell(f"a part with `{member}`")


def _embeddings(request: Json, content: Content) -> None:
    for part in _dicts(request.get("input")):
        content.cannot_tell(f"an input of type `{part.get('type')}`")


_READERS: Final[Mapping[str, Callable[[Json, Content], None]]] = {
    "openai_chat": _chat,
    "openai_embeddings": _embeddings,
    "openai_responses": _responses,
    "anthropic_messages": _anthropic,
    "anthropic_count_tokens": _anthropic,
    "gemini": _gemini,
}
