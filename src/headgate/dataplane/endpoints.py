"""The data plane's paths: with and without `/v1`, each with the format its clients speak."""

from dataclasses import dataclass


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
EXPLAIN = Endpoint("/v1/route/explain", "POST", "openai_chat", billed=False)
LIMITS = Endpoint("/v1/limits", "GET", "openai_chat", ("completions.write",), billed=False)
MODELS = Endpoint(
    "/v1/models",
    "GET",
    "openai_chat",
    ("models.list", "completions.write"),
    billed=False,
    otherwise="Models are not made or deleted here: an administrator says which ones an integration has, with "
    "PUT and DELETE /v1/integrations/{slug}/models.",
)

ENDPOINTS = (
    *(CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES, MESSAGES, COUNT_TOKENS, EXPLAIN, LIMITS, MODELS),
    *(MODERATIONS, RERANK, IMAGES, IMAGE_EDITS, IMAGE_VARIATIONS, SPEECH, TRANSCRIPTIONS, TRANSLATIONS),
)

_BY_PATH = {path: endpoint for endpoint in ENDPOINTS for path in (endpoint.path, endpoint.path.removeprefix("/v1"))}


def endpoint_for(path: str) -> Endpoint | None:
    """The endpoint at this path, whatever the method; None if the path is not the data plane's."""
    if (endpoint := _BY_PATH.get(path)) is not None:
        return endpoint
    if path.startswith(("/v1/models/", "/models/")):
        return MODELS
    return None
