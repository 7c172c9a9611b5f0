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
    otherwise: str = ""
    """What to do for what other methods would mean here."""


CHAT = Endpoint("/v1/chat/completions", "POST", "openai_chat")
COMPLETIONS = Endpoint("/v1/completions", "POST", "openai_completions")
EMBEDDINGS = Endpoint("/v1/embeddings", "POST", "openai_embeddings")
RESPONSES = Endpoint("/v1/responses", "POST", "openai_responses")
MESSAGES = Endpoint("/v1/messages", "POST", "anthropic_messages")
COUNT_TOKENS = Endpoint("/v1/messages/count_tokens", "POST", "anthropic_count_tokens", billed=False)
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

ENDPOINTS = (CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES, MESSAGES, COUNT_TOKENS, EXPLAIN, LIMITS, MODELS)

_BY_PATH = {path: endpoint for endpoint in ENDPOINTS for path in (endpoint.path, endpoint.path.removeprefix("/v1"))}


def endpoint_for(path: str) -> Endpoint | None:
    """The endpoint at this path, whatever the method; None if the path is not the data plane's."""
    if (endpoint := _BY_PATH.get(path)) is not None:
        return endpoint
    if path.startswith(("/v1/models/", "/models/")):
        return MODELS
    return None
