"""The list of models, as each provider gives it."""

from collections.abc import Iterable

from headgate.simulator.ask import Json
from headgate.simulator.dialects.base import Headers

_MADE = 1_750_000_000


def listed(path: str, headers: Headers, names: Iterable[str]) -> Json:
    """Gemini under `v1beta`, Anthropic where its version header is sent, OpenAI otherwise."""
    if "/v1beta" in path:
        methods = ["generateContent", "countTokens"]
        return {"models": [{"name": f"models/{name}", "supportedGenerationMethods": methods} for name in names]}
    if "anthropic-version" in headers:
        made = "2025-06-15T00:00:00Z"
        rows: list[Json] = [{"type": "model", "id": name, "display_name": name, "created_at": made} for name in names]
        return {"data": rows, "has_more": False, "first_id": rows[0]["id"], "last_id": rows[-1]["id"]}
    rows = [{"id": name, "object": "model", "created": _MADE, "owned_by": "headgate"} for name in names]
    return {"object": "list", "data": rows}
