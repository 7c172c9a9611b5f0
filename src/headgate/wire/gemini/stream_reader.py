"""A streamGenerateContent stream (`alt=sse`) as neutral events.

Every chunk is an answer of its own: pieces of text, whole tool calls, totals of usage. The last one tells why it ended;
no event says that nothing follows, the end of the stream does.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from headgate.wire import loose
from headgate.wire.chat import stop_of
from headgate.wire.chat_stream import (
    ArgumentsDelta,
    Failed,
    Finished,
    Signed,
    Started,
    StreamEvent,
    TextDelta,
    TextStarted,
    ThinkingDelta,
    ThinkingStarted,
    ToolCallStarted,
    Unspoken,
    UsageSeen,
)
from headgate.wire.gemini.answer import (
    content_parts,
    error_message,
    first_candidate,
    search_queries,
    stop_reason,
    tool_call,
    usage_of,
)
from headgate.wire.gemini.request_writer import SIGNATURE
from headgate.wire.sse import Event


class StreamReader:
    def __init__(self) -> None:
        self._id = ""
        self._started = False
        self._open = ""
        """`text`, `thinking` or nothing: which part takes the next piece."""
        self._calls = 0
        self._queries = 0

    def read(self, event: Event) -> list[StreamEvent]:
        if not event.data:
            return []
        chunk = loose.decode_object(event.data)
        if (error := chunk.get("error")) is not None:
            return [Failed(error_message(error))]
        candidate = first_candidate(chunk)
        events: list[StreamEvent] = []
        self._queries = max(self._queries, search_queries(candidate))
        if (usage := usage_of(chunk, self._queries)) is not None:
            events.append(UsageSeen(usage))
        if not self._started:
            self._started, self._id = True, loose.text(chunk.get("responseId"))
            events.append(Started(self._id, loose.text(chunk.get("modelVersion"))))
        for part in content_parts(candidate):
            events += self._part(part)
        if (stop := stop_reason(chunk, candidate)) is not None:
            events += [*self._close(), Finished(stop_of(stop, self._calls > 0))]
        return events

    def _part(self, part: Mapping[str, Any]) -> list[StreamEvent]:
        text, signature = loose.text(part.get("text")), loose.text(part.get("thoughtSignature"))
        if part.get("thought"):
            return [*self._think(), ThinkingDelta(text)] if text else []
        if (call := part.get("functionCall")) is not None:
            return [*self._sign(signature), *self._close(), *self._call(loose.mapping(call))]
        if "text" not in part:
            skipped: list[StreamEvent] = [Unspoken(len(msgspec.json.encode(part)))]
            return [*self._sign(signature), *skipped]
        if self._open == "text":
            # The text is under way: what proves the thinking before it can only follow.
            return [*([TextDelta(text)] if text else []), *self._sign(signature)]
        said = [*self._sign(signature), *self._close()] if text or signature else []
        if text:
            said += [TextStarted(), TextDelta(text)]
            self._open = "text"
        return said

    def _call(self, call: Mapping[str, Any]) -> list[StreamEvent]:
        whole = tool_call(call, self._id, self._calls)
        self._calls += 1
        return [ToolCallStarted(whole.id, whole.name), ArgumentsDelta(whole.arguments)]

    def _think(self) -> list[StreamEvent]:
        if self._open == "thinking":
            return []
        self._open = "thinking"
        return [ThinkingStarted()]

    def _sign(self, signature: str) -> list[StreamEvent]:
        if not signature:
            return []
        events = [*self._think(), Signed(SIGNATURE + signature)]
        self._open = ""
        return events

    def _close(self) -> list[StreamEvent]:
        unsigned: list[StreamEvent] = [Signed(SIGNATURE)] if self._open == "thinking" else []
        self._open = ""
        return unsigned
