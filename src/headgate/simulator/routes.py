"""Which path speaks which dialect. With and without a version in front, as base URLs differ in that."""

import re
from collections.abc import Mapping

from headgate.simulator.behaviours import REDIRECTED
from headgate.simulator.dialects.anthropic_messages import CountTokens, Messages
from headgate.simulator.dialects.base import Dialect
from headgate.simulator.dialects.gemini import Gemini, GeminiArray
from headgate.simulator.dialects.openai_chat import Chat
from headgate.simulator.dialects.openai_completions import Completions
from headgate.simulator.dialects.openai_embeddings import Embeddings
from headgate.simulator.dialects.openai_media import Images, Speech, Transcriptions
from headgate.simulator.dialects.openai_responses import Responses
from headgate.simulator.dialects.rankings import Moderations, Rerank

_VERSION = re.compile(r"^/(?:v1beta/openai|v\d[a-z0-9]*)(?=/)")
_GEMINI = re.compile(r"^/models/([^/:]+:(generateContent|streamGenerateContent))$")
_BY_PATH: Mapping[str, Dialect] = {
    "/chat/completions": Chat(),
    "/completions": Completions(),
    "/embeddings": Embeddings(),
    "/responses": Responses(),
    "/moderations": Moderations(),
    "/rerank": Rerank(),
    "/images/generations": Images(),
    "/images/edits": Images(),
    "/images/variations": Images(),
    "/audio/speech": Speech(),
    "/audio/transcriptions": Transcriptions(),
    "/audio/translations": Transcriptions(),
    "/messages": Messages(),
    "/messages/count_tokens": CountTokens(),
}
_GEMINI_EVENTS, _GEMINI_ARRAY = Gemini(), GeminiArray()


def unversioned(path: str) -> str:
    """The path without a version in front: `/v1/messages` and `/messages` are one."""
    return _VERSION.sub("", path)


def route(path: str, query: Mapping[str, str]) -> tuple[Dialect, str] | None:
    """The dialect of a POST, and the part of the path that names the model (empty where the body does)."""
    if path == REDIRECTED:
        return Chat(), path
    plain = unversioned(path)
    if (dialect := _BY_PATH.get(plain)) is not None:
        return dialect, ""
    if (found := _GEMINI.match(plain)) is None:
        return None
    streams_array = found[2] == "streamGenerateContent" and query.get("alt") != "sse"
    return _GEMINI_ARRAY if streams_array else _GEMINI_EVENTS, found[1]
