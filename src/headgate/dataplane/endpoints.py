"""The data plane's paths: with and without `/v1`, each with the format its clients speak."""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`scope` is what a key needs; any one of them is enough. `format` is the client's wire format."""

    path: str
    method: str
    format: str
    scopes: tuple[str, ...] = ("completions.write",)
    billed: bool = True
    """Whether a call here can cost money; counting tokens does not."""
    media: bool = False
    """Its answers may be other than JSON: pictures, sound, plain text."""
    form: bool = False
    """It takes a multipart form, not JSON."""
    aside: bool = False
    """It is no call to a model."""
    kept: str = ""
    """What it is about, where that is kept at a provider: `response`, `file`, `batch`."""
    otherwise: str = ""
    """What to do for what other methods would mean here."""


CHAT = Endpoint("/v1/chat/completions", "POST", "openai_chat")
COMPLETIONS = Endpoint("/v1/completions", "POST", "openai_completions")
EMBEDDINGS = Endpoint("/v1/embeddings", "POST", "openai_embeddings")
RESPONSES = Endpoint("/v1/responses", "POST", "openai_responses")
MESSAGES = Endpoint("/v1/messages", "POST", "anthropic_messages")
COUNT_TOKENS = Endpoint("/v1/messages/count_tokens", "POST", "anthropic_count_tokens", billed=False)
MODERATIONS = Endpoint("/v1/moderations", "POST", "openai_moderations")
RERANK = Endpoint("/v1/rerank", "POST", "rerank")
IMAGES = Endpoint("/v1/images/generations", "POST", "openai_images", media=True)
IMAGE_EDITS = Endpoint("/v1/images/edits", "POST", "openai_image_edits", media=True, form=True)
IMAGE_VARIATIONS = Endpoint("/v1/images/variations", "POST", "openai_image_variations", media=True, form=True)
SPEECH = Endpoint("/v1/audio/speech", "POST", "openai_speech", media=True)
TRANSCRIPTIONS = Endpoint("/v1/audio/transcriptions", "POST", "openai_transcriptions", media=True, form=True)
TRANSLATIONS = Endpoint("/v1/audio/translations", "POST", "openai_translations", media=True, form=True)
RESPONSE = Endpoint("/v1/responses/{id}", "GET", "openai_responses", billed=False, aside=True, kept="response")
RESPONSE_DELETE = replace(RESPONSE, method="DELETE")
RESPONSE_CANCEL = replace(RESPONSE, path="/v1/responses/{id}/cancel", method="POST")
RESPONSE_ITEMS = replace(RESPONSE, path="/v1/responses/{id}/input_items")
FILES = Endpoint("/v1/files", "GET", "openai_files", billed=False, aside=True, kept="file")
FILE_UPLOAD = replace(FILES, method="POST", form=True)
FILE = replace(FILES, path="/v1/files/{id}")
FILE_DELETE = replace(FILE, method="DELETE")
FILE_CONTENT = replace(FILE, path="/v1/files/{id}/content", media=True)
EXPLAIN = Endpoint("/v1/route/explain", "POST", "openai_chat", billed=False, aside=True)
LIMITS = Endpoint("/v1/limits", "GET", "openai_chat", ("completions.write",), billed=False, aside=True)
BATCHES = Endpoint("/v1/batches", "GET", "openai_batches", billed=False, aside=True, kept="batch")
BATCH_CREATE = replace(BATCHES, method="POST", billed=True)
BATCH = replace(BATCHES, path="/v1/batches/{id}")
BATCH_CANCEL = replace(BATCH, path="/v1/batches/{id}/cancel", method="POST")
PROMPT = Endpoint("/v1/prompts/{id}/completions", "POST", "openai_chat")
MODELS = Endpoint(
    "/v1/models",
    "GET",
    "openai_chat",
    ("models.list", "completions.write"),
    billed=False,
    aside=True,
    otherwise="Models are not made or deleted here: an administrator says which ones an integration has, with "
    "PUT and DELETE /v1/integrations/{slug}/models.",
)

ENDPOINTS = (
    *(CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES, MESSAGES, COUNT_TOKENS, EXPLAIN, LIMITS, MODELS),
    *(MODERATIONS, RERANK, IMAGES, IMAGE_EDITS, IMAGE_VARIATIONS, SPEECH, TRANSCRIPTIONS, TRANSLATIONS),
    *(PROMPT, RESPONSE, RESPONSE_DELETE, RESPONSE_CANCEL, RESPONSE_ITEMS),
    *(BATCHES, BATCH_CREATE, BATCH, BATCH_CANCEL),
    *(FILES, FILE_UPLOAD, FILE, FILE_DELETE, FILE_CONTENT),
)

_BY_PATH = {
    path: endpoint for endpoint in reversed(ENDPOINTS) for path in (endpoint.path, endpoint.path.removeprefix("/v1"))
}
_KEPT: Final = ("/responses/", "/files/", "/batches/")
_NOT_OFFERED: Final = ("/responses/compact", "/responses/input_tokens")
"""Endpoints of OpenAI's that look like the name of a response."""


def endpoint_for(path: str) -> Endpoint | None:
    """The endpoint at this path, or the first of several, whatever the method; None if the path is not the data
    plane's."""
    if (endpoint := _BY_PATH.get(path)) is not None:
        return endpoint
    below = path.removeprefix("/v1")
    if below.startswith("/models/"):
        return MODELS
    if below.startswith("/prompts/"):
        return PROMPT if below.endswith("/completions") and below.count("/") == 3 else None
    if below in _NOT_OFFERED:
        return None
    if below.startswith(_KEPT):
        noun, _, rest = below[1:].partition("/")
        _, slash, action = rest.partition("/")
        return _BY_PATH.get(f"/{noun}/{{id}}{slash}{action}")
    return None


def with_method(endpoint: Endpoint, method: str) -> Endpoint | None:
    """The endpoint at the same path that takes this method."""
    return next((each for each in ENDPOINTS if each.path == endpoint.path and each.method == method), None)
