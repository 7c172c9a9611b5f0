"""Where Gemini takes a request. A provider's format only: no client of ours speaks it."""

from typing import Final
from urllib.parse import quote

NAME: Final = "gemini"


def path(model: str, stream: bool) -> str:
    """Below the provider's base URL, which has the version in it. The model is one segment, whatever is in its name."""
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/models/{quote(model.removeprefix('models/'), safe='')}:{method}"
