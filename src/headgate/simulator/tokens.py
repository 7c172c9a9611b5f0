"""How the simulator counts: one token is four UTF-8 bytes, rounded up; one image is 85.

Nothing is learned or looked up, so anyone can check a figure by hand.
"""

from typing import Any

BYTES_PER_TOKEN = 4
IMAGE_TOKENS = 85
MEDIA_TYPES = frozenset({"image", "image_url", "input_image", "document", "file", "input_file", "input_audio"})
_WEIGHED = frozenset({"text", "content", "arguments", "output", "thinking", "name", "refusal", "instructions"})


def count(text: str) -> int:
    """Tokens of a text: `count("") == 0`, `count("abcd") == 1`, `count("abcde") == 2`."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def first(text: str, tokens: int) -> str:
    """The longest beginning of the text that is no more than so many tokens; never half a character."""
    return text.encode()[: max(0, tokens) * BYTES_PER_TOKEN].decode(errors="ignore")


def prose(phrase: str, tokens: int) -> str:
    """The phrase over and over, as long as fits into so many tokens."""
    wanted = tokens * BYTES_PER_TOKEN
    return first(phrase * (wanted // len(phrase.encode()) + 1), tokens)


def pieces(text: str, size: int) -> list[str]:
    """The text in pieces of at most `size` UTF-8 bytes (at least one character each), in order."""
    found, start, weight = [], 0, 0
    for at, character in enumerate(text):
        width = len(character.encode())
        if weight and weight + width > size:
            found.append(text[start:at])
            start, weight = at, 0
        weight += width
    if weight:
        found.append(text[start:])
    return found


def prompt(*parts: Any) -> int:
    """Input tokens of a request's prompt parts: the bytes of all their texts together, and each medium by the piece.

    Counted are the strings that a model reads (texts, names, arguments); an object under `input` or `args`
    (a tool call's arguments) counts as what its strings and numbers weigh.
    """
    weight = media = 0
    stack = list(parts)
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            weight += len(part.encode())
        elif isinstance(part, list):
            stack.extend(part)
        elif isinstance(part, dict):
            if part.get("type") in MEDIA_TYPES or "inlineData" in part or "fileData" in part:
                media += 1
                continue
            for key, value in part.items():
                if key in _WEIGHED or isinstance(value, (dict, list)):
                    stack.append(value)
        elif isinstance(part, (int, float)):
            weight += BYTES_PER_TOKEN
    return -(-weight // BYTES_PER_TOKEN) + media * IMAGE_TOKENS
