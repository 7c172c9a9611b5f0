"""A JSON request whose top-level members can be replaced without touching any other byte.

What policy reads and what is forwarded must be the same. JSON parsers differ on duplicate members (most keep the last)
and some match names without regard to case (Go's), so a body in which two members could be taken for one another is
refused. The price is one pass of a C parser, and for bodies with space around members one regular expression match for
each of them; values are compared with `memcmp`, so a prompt of 400 kB costs no more Python than one of 40 bytes.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from headgate.base.errors import InvalidRequest

MAX_MEMBERS: Final = 1_000
MAX_INTEGER: Final = 2**53 - 1
"""Beyond this, parsers that read numbers as doubles see another number than we do."""

_OPEN = re.compile(rb"[ \t\n\r]*\{[ \t\n\r]*")
_KEY = re.compile(rb'[ \t\n\r]*[{,][ \t\n\r]*"([^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t\n\r]*:[ \t\n\r]*')
_key_at = _KEY.match
_CLOSE = re.compile(rb"[ \t\n\r]*\}[ \t\n\r]*\Z")

_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode
_decode_key = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode

Span = tuple[int, int, int]
"""Where a member's key starts, where its value starts, and where its value ends."""

MAX_WRITTEN: Final = 16 * 1024
"""Bytes of a body beyond which writing it again costs more than walking over it."""


class Document:
    """A JSON object. Raises `InvalidRequest` for anything else, and for members that could be mistaken for one another.

    `path` is set for an object inside a request, so that errors name `stream_options.include_usage`.
    """

    __slots__ = ("_decoded", "_members", "_path", "_spans", "body")

    def __init__(self, body: bytes, path: str = "") -> None:
        self.body = body
        self._path = path
        self._decoded: dict[str, Any] | None = None
        self._members = members = self._parse()
        # Most SDKs leave no space around members. What the parser kept, written in that way, is then the body again,
        # which proves that it kept everything: 0.2 µs in place of the 0.4 µs that a walk takes for each member.
        compact = len(body) <= MAX_WRITTEN and _encode(members) == body
        self._spans: dict[str, Span] | None = None if compact else self._locate(members)
        letters = "".join(members)
        plain = letters.isascii() and letters.islower()  # nothing to fold: different names stay different
        if not plain and len(set(map(str.casefold, members))) != len(members):
            self._refuse_same_letters()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def __len__(self) -> int:
        return len(self._members)

    def names(self) -> tuple[str, ...]:
        """The top-level members in the order they came."""
        return tuple(self._members)

    def get(self, name: str) -> bytes | None:
        """The member's JSON as it was sent, None if it is absent."""
        raw = self._members.get(name)
        return None if raw is None else bytes(raw)

    def value(self, name: str) -> Any:
        """The member decoded; None if it is absent or null."""
        raw = self._members.get(name)
        if raw is None:
            return None
        try:
            return _decode_any(raw)
        except (msgspec.DecodeError, RecursionError):
            raise self.wrong(
                name, "a value that JSON parsers agree on: a number is too large, or nesting too deep"
            ) from None

    def string(self, name: str) -> str | None:
        """None if absent or null."""
        if name not in self._members:
            return None
        value = self.value(name)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong(name, "a string")

    def boolean(self, name: str) -> bool | None:
        """None if absent or null."""
        if name not in self._members:
            return None
        value = self.value(name)
        if value is None or isinstance(value, bool):
            return value
        raise self.wrong(name, "true or false")

    def integer(self, name: str, minimum: int = 0, maximum: int = MAX_INTEGER) -> int | None:
        """None if absent or null. Whole floats are refused: not every provider reads `10.0` as 10."""
        if name not in self._members:
            return None
        value = self.value(name)
        if value is None:
            return None
        if type(value) is not int or not minimum <= value <= maximum:
            raise self.wrong(name, f"an integer from {minimum} to {maximum}")
        return value

    def object(self, name: str) -> "Document | None":
        """The member as a document of its own. None if absent or null."""
        raw = self.get(name)
        return None if raw is None or raw == b"null" else Document(raw, self._param(name))

    def decode(self) -> dict[str, Any]:
        """The whole request as Python objects, decoded once and shared: read it, do not write to it."""
        if self._decoded is None:
            try:
                self._decoded = _decode_any(self.body)
            except msgspec.DecodeError as error:
                raise InvalidRequest(f"{self._subject()} cannot be read: {error}.", param=self._path or None) from None
            except RecursionError:
                raise self._too_deep() from None
        return self._decoded

    def replace(self, members: Mapping[str, bytes | None]) -> bytes:
        """The body with these members set to other JSON, or taken out (None). Absent ones are added at the end.

        All other bytes stay as they are, whitespace included.
        """
        if self._spans is None:
            return self._rewritten(members)
        if len(members) == 1:  # the model's name, mostly
            ((name, new),) = members.items()
            if new is not None and name in self._spans:
                _, start, end = self._spans[name]
                return b"".join((self.body[:start], new, self.body[end:]))
        return self._spliced(members, self._spans)

    def changed(self, members: Mapping[str, bytes | None]) -> "Document":
        """The request with these members replaced, as `replace` says."""
        return Document(self.replace(members))

    def _rewritten(self, members: Mapping[str, bytes | None]) -> bytes:
        merged = self._members.copy()
        for name, new in members.items():
            if new is None:
                merged.pop(name, None)
            else:
                merged[name] = msgspec.Raw(new)
        return _encode(merged)

    def _spliced(self, members: Mapping[str, bytes | None], spans: Mapping[str, Span]) -> bytes:
        view = memoryview(self.body)
        previous_end = _OPEN.match(self.body).end()  # type: ignore[union-attr]  # where the first key is, or would be
        pieces: list[bytes | memoryview] = [view[:previous_end]]
        for name, (key, start, end) in spans.items():
            new = members.get(name, view[start:end])
            if new is not None:
                # The text since the previous value is the comma; the first member that stays needs none.
                pieces += (view[previous_end if len(pieces) > 1 else key : start], new)
            previous_end = end
        for name, new in members.items():
            if new is not None and name not in spans:
                pieces += (b"," if len(pieces) > 1 else b"", _encode(name), b":", new)
        pieces.append(view[previous_end:])
        return b"".join(pieces)

    def wrong(self, name: str, expected: str) -> InvalidRequest:
        """The error for a member of the wrong kind; `expected` completes the sentence "`name` must be ..."."""
        param = self._param(name)
        return InvalidRequest(f"`{param}` must be {expected}.", param=param)

    def _parse(self) -> dict[str, msgspec.Raw]:
        if not self.body:
            raise InvalidRequest("The request has no body. Send a JSON object.")
        try:
            if not self.body.isascii():
                self.body.decode()  # the parser below skips over values without looking at their encoding
            members = _decode_members(self.body)
        except UnicodeDecodeError as error:
            raise InvalidRequest(f"The request body is not valid UTF-8 (byte {error.start}).") from None
        except msgspec.ValidationError:
            raise InvalidRequest(f"{self._subject()} must be a JSON object.", param=self._path or None) from None
        except msgspec.DecodeError as error:
            raise InvalidRequest(f"The request body is not valid JSON: {error}.") from None
        except RecursionError:
            raise self._too_deep() from None
        if len(members) > MAX_MEMBERS:
            raise InvalidRequest(f"{self._subject()} has more than {MAX_MEMBERS} members.", param=self._path or None)
        return members

    def _locate(self, members: dict[str, msgspec.Raw]) -> dict[str, Span]:
        """The span of each member, looked for in the order of the parser's result: any disagreement is a duplicate."""
        body, spans, position, previous = self.body, {}, 0, ""
        for name, raw in members.items():
            match = _key_at(body, position)
            if match is None:  # a number that begins like the one the parser kept
                raise self._duplicate(previous)
            key, start = match[1], match.end()
            if key != name.encode() and _name_of(key) != name:
                raise self._duplicate(_name_of(key))
            if not body.startswith(raw, start):
                raise self._duplicate(name)
            position, previous = start + len(raw), name
            spans[name] = (match.start(1) - 1, start, position)
        if members and body[position:] != b"}" and _CLOSE.match(body, position) is None:
            match = _key_at(body, position)
            raise self._duplicate(previous if match is None else _name_of(match[1]))
        return spans

    def _duplicate(self, name: str) -> InvalidRequest:
        param = self._param(name)
        return InvalidRequest(f"Duplicate member `{param}` in the request body. Send it once.", param=param)

    def _too_deep(self) -> InvalidRequest:
        return InvalidRequest(f"{self._subject()} is nested too deeply.", param=self._path or None)

    def _refuse_same_letters(self) -> None:
        seen: dict[str, str] = {}
        for name in self._members:
            if (other := seen.setdefault(name.casefold(), name)) != name:
                raise InvalidRequest(
                    f"The members `{self._param(other)}` and `{self._param(name)}` differ only in case, and some "
                    "providers take one for the other. Send one of them.",
                    param=self._param(name),
                )

    def _subject(self) -> str:
        return f"`{self._path}`" if self._path else "The request body"

    def _param(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _name_of(key: bytes) -> str:
    return _decode_key(b'"%b"' % key)
