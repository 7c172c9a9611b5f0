"""How much a provider generated, in UTF-8 bytes: no token is shorter than a byte, so bytes bound tokens from above."""


def utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def content_length(value: object) -> int:
    """Of a text itself, of anything else all texts in it: with some providers a text is a list of parts."""
    if isinstance(value, str):
        return utf8_length(value)
    if isinstance(value, dict):
        return sum(content_length(item) for item in value.values())
    if isinstance(value, list):
        return sum(content_length(item) for item in value)
    return 0
