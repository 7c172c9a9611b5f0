"""A multipart form, read as far as policy needs it, with every byte of it kept but for the fields that are replaced.

Parsers of forms differ in what they forgive. Whatever two of them could read differently is refused: a delimiter that
is not alone on its line, a field twice, a file in the place of a field, headers that say a name in two ways.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from headgate.base.errors import InvalidRequest, UnsupportedMedia
from headgate.wire.document import MAX_INTEGER, Document

MAX_PARTS: Final = 100
MAX_FIELD: Final = 1024 * 1024
"""Bytes of a field that is no file."""
MAX_PART_HEAD: Final = 4 * 1024
FILES: Final = frozenset({"file", "image", "image[]", "mask"})
"""The fields that may be files, and nothing else."""

_BOUNDARY: Final = re.compile(
    rb'multipart/form-data\s*;\s*boundary=(?:"([^"\\]{1,70})"|([^\s;"]{1,70}))\s*', re.IGNORECASE
)
_DISPOSITION: Final = re.compile(
    rb'form-data; ?name="([^"\\\r\n]{1,200})"(?:; ?filename="([^"\r\n]{0,1000})")?(?:; ?filename\*=[^;\r\n]+)?'
)
_PLAIN_HEADS: Final = frozenset({b"content-disposition", b"content-type", b"content-length"})
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


class Part(NamedTuple):
    """One field: where its bytes are in the body. `begins` is where its delimiter's line begins."""

    name: str
    is_file: bool
    begins: int
    start: int
    end: int


class Form(Document):
    """As a `Document` of its fields that are no files, all of them texts. Raises `InvalidRequest`, naming the field
    where there is one, and `UnsupportedMedia`."""

    __slots__ = ("_boundary", "content_type", "parts")

    def __init__(self, body: bytes, content_type: bytes | None) -> None:
        self.body = body
        self._path = ""
        self._decoded = None
        self._spans = {}
        found = _BOUNDARY.fullmatch((content_type or b"").strip())
        if found is None:
            raise UnsupportedMedia("Send a form: Content-Type `multipart/form-data` with its boundary.")
        self.content_type: bytes = (content_type or b"").strip()
        self._boundary: bytes = b"--" + (found[1] or found[2])
        self.parts: list[Part] = self._read()
        # Some readers take a line's end for one whatever it is made of, and would find further fields in a value.
        if body.count(b"\n" + self._boundary) != len(self.parts) or b"\r" + self._boundary in body:
            raise _broken("a value has a boundary in it")
        self._members = self._fields()

    def files(self, *names: str) -> list[memoryview]:
        """The contents of the files in these fields."""
        view = memoryview(self.body)
        return [view[part.start : part.end] for part in self.parts if part.is_file and part.name in names]

    def integer(self, name: str, minimum: int = 0, maximum: int = MAX_INTEGER) -> int | None:
        text = self.string(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 17 and minimum <= int(text) <= maximum):
            raise self.wrong(name, f"an integer from {minimum} to {maximum}")
        return int(text)

    def boolean(self, name: str) -> bool | None:
        text = self.string(name)
        if not text:
            return None
        if text not in ("true", "false"):
            raise self.wrong(name, "true or false")
        return text == "true"

    def decode(self) -> dict[str, object]:
        return {name: _decode(raw) for name, raw in self._members.items()}

    def replace(self, members: Mapping[str, bytes | None]) -> bytes:
        """The form with these fields set to other texts (as JSON), or taken out (None)."""
        view = memoryview(self.body)
        pieces: list[bytes | memoryview] = []
        for part, following in zip(self.parts, [*(each.begins for each in self.parts[1:]), None], strict=True):
            end = part.end if following is None else following - 2
            if part.is_file or part.name not in members:
                pieces += (view[part.begins : end], b"\r\n")
            elif (new := members[part.name]) is not None:
                pieces += (view[part.begins : part.start], _text(new), b"\r\n")
        for name, new in members.items():
            if new is not None and name not in self._members:
                head = b'%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n' % (self._boundary, name.encode())
                pieces += (head, _text(new), b"\r\n")
        return b"".join([*pieces, self._boundary, b"--\r\n"])

    def changed(self, members: Mapping[str, bytes | None]) -> "Form":
        return Form(self.replace(members), self.content_type)

    def _read(self) -> list[Part]:
        body, line = self.body, b"\r\n" + self._boundary
        if not body.startswith(self._boundary):
            raise _broken("it does not begin with its boundary")
        parts: list[Part] = []
        begins = 0
        while True:
            after = begins + len(self._boundary)
            if body.startswith(b"--", after):
                if body[after + 2 :] not in (b"", b"\r\n"):
                    raise _broken("something follows its end")
                return parts
            if not body.startswith(b"\r\n", after):
                raise _broken("a boundary is not alone on its line")
            end = body.find(line, after)
            if end < 0:
                raise _broken("it has no end")
            if len(parts) == MAX_PARTS:
                raise InvalidRequest(f"The form has more than {MAX_PARTS} fields.")
            parts.append(self._part(begins, after + 2, end))
            begins = end + 2

    def _part(self, begins: int, start: int, end: int) -> Part:
        head_end = self.body.find(b"\r\n\r\n", start, min(end, start + MAX_PART_HEAD) + 4)
        if head_end < 0 or head_end > end:
            raise _broken("a field has no head, or one that is too long")
        heads: dict[bytes, bytes] = {}
        for line in self.body[start:head_end].split(b"\r\n"):
            head, colon, value = line.partition(b":")
            if not colon or head.lower() not in _PLAIN_HEADS or head.lower() in heads:
                raise _broken("the head of a field has a line that is not taken")
            heads[head.lower()] = value.strip()
        found = _DISPOSITION.fullmatch(heads.get(b"content-disposition", b""))
        if found is None:
            raise _broken("a field does not say its name plainly")
        try:
            name = found[1].decode()
        except UnicodeDecodeError:
            raise _broken("the name of a field is not UTF-8") from None
        is_file = found[2] is not None or name in FILES
        if is_file and name not in FILES:
            raise InvalidRequest(f"`{name[:100]}` must be a field, not a file.", param=name[:100])
        if not is_file and end - head_end > MAX_FIELD:
            raise InvalidRequest(f"`{name[:100]}` is longer than {MAX_FIELD} bytes.", param=name[:100])
        return Part(name, is_file, begins, head_end + 4, max(head_end + 4, end))

    def _fields(self) -> dict[str, msgspec.Raw]:
        fields: dict[str, msgspec.Raw] = {}
        seen: set[str] = set()
        for part in self.parts:
            several = part.name.endswith("[]")
            if not several and part.name.casefold() in seen:
                raise InvalidRequest(f"Duplicate field `{part.name[:100]}` in the form. Send it once.", param=part.name)
            seen.add(part.name.casefold())
            if not part.is_file and not several:
                fields[part.name] = self._field(part)
        return fields

    def _field(self, part: Part) -> msgspec.Raw:
        try:
            return msgspec.Raw(_encode(self.body[part.start : part.end].decode()))
        except UnicodeDecodeError:
            raise self.wrong(part.name[:100], "UTF-8") from None


def _text(json: bytes) -> bytes:
    value = _decode(json)
    return value.encode() if isinstance(value, str) else json


def _broken(why: str) -> InvalidRequest:
    return InvalidRequest(f"The form cannot be read: {why}.")
