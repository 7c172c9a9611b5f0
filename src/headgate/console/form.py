"""What a browser sends with a form, and that it was our own page that sent it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from headgate.base.errors import Conflict, Forbidden, InvalidRequest, TooLarge, UnsupportedMedia
from headgate.base.redaction import redacted, without_secrets
from headgate.tenancy.origin import Origin

LONGEST: Final = 256 * 1024
_MOST_FIELDS: Final = 500
_UNSAID: Final = ("csrf", "password", "before", "after", "token", "key", "code", "ticket")
"""Fields that no log is to have, not even masked."""


@dataclass(frozen=True, slots=True)
class Form:
    """Its fields, in the order they stand on the page."""

    fields: Mapping[str, Sequence[str]]

    def one(self, name: str) -> str:
        """Without blanks around it; empty where it is absent."""
        return (self.fields.get(name) or [""])[0].strip()

    def exact(self, name: str) -> str:
        """With all its blanks: a password may have some."""
        return (self.fields.get(name) or [""])[0]

    def all(self, name: str) -> list[str]:
        return [each.strip() for each in self.fields.get(name, ())]

    def pairs(self, name: str) -> dict[str, str]:
        """Of a text field with `name=value` on each line. A line without `=` is a name with nothing behind it."""
        told = [line.partition("=") for line in self.one(name).splitlines() if line.strip()]
        return {key.strip(): value.strip() for key, _, value in told}

    def lines(self, name: str) -> list[str]:
        """Of a text field, those that are not empty; commas separate too."""
        return [each.strip() for each in self.one(name).replace(",", "\n").splitlines() if each.strip()]

    def require_unchanged(self, at: int) -> None:
        """Raises `Conflict` where somebody else changed, at this moment, what the form showed: `seen` says as of when.
        Shown again with what was typed, the form has seen that too."""
        if (seen := self.one("seen")) and seen != str(at):
            raise Conflict(
                "Somebody else has changed this since you opened it, and nothing of yours is saved yet. "
                "Look at it in another tab; what you typed stands here, and takes the place of theirs once you save it."
            )

    def document(self, name: str, param: str = "") -> Any:
        """Of a text field, the JSON in it; None where it is empty. Raises `InvalidRequest` naming `param`."""
        text, param = self.one(name), param or name
        try:
            return json.loads(text) if text else None
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise InvalidRequest(f"`{param}` is no JSON at {where}: {error.msg}.", param=param) from None
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(f"`{param}` is no JSON: {error}.", param=param) from None


EMPTY: Final = Form({})


async def form_of(request: Request) -> Form:
    """Raises `Forbidden` for what another site sent, `TooLarge`, `UnsupportedMedia`, and `InvalidRequest`."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("The console takes forms only.")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LONGEST:
            raise TooLarge(f"A form is at most {LONGEST} bytes.")
        parts.append(part)
    try:
        return Form(parse_qs(b"".join(parts).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise InvalidRequest("This is no form that the console sent.") from None


def require_own_origin(request: Request, url: str) -> None:
    """Every browser says with a form which site it came from: ours, by the address it was asked at or by `url`."""
    origin = request.headers.get("origin", "")
    ours = (request.headers.get("host", ""), urlsplit(url).netloc)
    if not origin or urlsplit(origin).netloc not in ours:
        raise Forbidden("This form did not come from the console itself.", code="foreign_origin")


def audited(request: Request, form: Form) -> Origin:
    """What the audit log keeps of it."""
    shown = {name: values for name, values in form.fields.items() if name not in _UNSAID}
    body = {name: redacted(name, values[0] if len(values) == 1 else values) for name, values in shown.items()}
    agent = without_secrets(request.headers.get("user-agent", ""))
    return Origin(
        request_id=request.scope["headgate.request_id"],
        method=request.method,
        uri=request.url.path,
        query="",
        headers=json.dumps({"user-agent": agent}, ensure_ascii=False),
        request_body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        client_ip=request.client.host if request.client else "",
        country=request.scope.get("headgate.country"),
    )
