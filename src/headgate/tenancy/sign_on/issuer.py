"""What is asked of the issuer: where its endpoints are, whom a code stands for, and which keys it signs with."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote_plus, urlencode, urlsplit

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import HeadgateError
from headgate.tenancy.credential_checks import Fetched
from headgate.tenancy.sign_on.id_token import BadToken, Claims, IssuerKey, UnknownKey, issuer_keys, verified

DISCOVERY: Final = "/.well-known/openid-configuration"
FRESH_S: Final = 3_600
"""How long what the issuer says of itself is believed without asking again."""
_AT_HOME: Final = ("localhost", "127.0.0.1", "::1")


Report = Callable[[str, BaseException], None]
"""Tells the operator, in the log, what nobody else is told."""


class Ask(Protocol):
    """One request to a vetted address, bounded in time and size. Implemented in `upstream.fetch`."""

    async def get(self, url: str) -> Fetched: ...
    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Fetched: ...


class IssuerAway(Exception):
    """The issuer does not answer, or not as an issuer does: why, for the operator's log."""


class CodeRefused(Exception):
    """The issuer does not take the code: used, expired, or of somebody else."""


class BadIssuer(HeadgateError):
    """The settings of single sign-on do not fit together."""

    status, type, code = 500, "configuration_error", "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnSettings:
    """`domains`: those that e-mail addresses may be of; empty for all. `role`: of users that are made at their first
    sign-in, None where none are; `workspace`: the slug of one that they become members of."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    scopes: str = "openid email profile"
    domains: tuple[str, ...] = ()
    role: str | None = None
    workspace: str | None = None

    def __post_init__(self) -> None:
        if not secure(self.issuer):
            raise BadIssuer(
                "oidc_issuer: expected a URL that starts with https://; http:// is for this machine only, because "
                "whoever stands in between could let himself in.",
                param="oidc_issuer",
            )
        if "openid" not in self.scopes.split():
            raise BadIssuer(
                "oidc_scopes: `openid` must be among them, or nobody is told who signs in.", param="oidc_scopes"
            )


class Issuer:
    """Remembers what the issuer says of itself, and its keys; those are asked for again when a token names another."""

    def __init__(self, settings: SignOnSettings, ask: Ask, clock: Clock, report: Report) -> None:
        self.settings = settings
        self.report = report
        self._ask = ask
        self._clock = clock
        self._endpoints: Mapping[str, Any] = {}
        self._keys: Sequence[IssuerKey] = ()
        self._asked_at: int | None = None

    async def authorize_url(self, *, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes. Raises `IssuerAway`."""
        endpoint = _url((await self._discovered()), "authorization_endpoint")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect,
            "scope": self.settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def claims(self, code: str, *, redirect: str, nonce: str, verifier: str) -> Claims:
        """Whom the code stands for. Raises `IssuerAway`, `CodeRefused` and `BadToken`."""
        token = await self._token(code, redirect, verifier)
        try:
            return self._verified(token, nonce)
        except UnknownKey:
            await self._fetch_keys()
        return self._verified(token, nonce)

    def _verified(self, token: str, nonce: str) -> Claims:
        now_s = self._clock.now() // NANOS_PER_SECOND
        wanted = {"issuer": self.settings.issuer, "client_id": self.settings.client_id, "nonce": nonce}
        return verified(token, self._keys, now_s=now_s, **wanted)

    async def _token(self, code: str, redirect: str, verifier: str) -> str:
        endpoints, settings = await self._discovered(), self.settings
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        form["client_id"], headers = settings.client_id, {}
        if settings.client_secret is not None:
            if "client_secret_basic" in endpoints.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
                pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
                headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            else:
                form["client_secret"] = settings.client_secret
        found = await self._ask.post(_url(endpoints, "token_endpoint"), form, headers)
        if found.status == 400 and _object(found).get("error") == "invalid_grant":
            raise CodeRefused
        token = _object(_answered(found, "the token endpoint")).get("id_token")
        if not isinstance(token, str):
            raise BadToken("the token endpoint gave no ID token")
        return token

    async def _discovered(self) -> Mapping[str, Any]:
        now = self._clock.monotonic()
        if self._asked_at is None or now - self._asked_at >= FRESH_S * NANOS_PER_SECOND:
            found = _object(_answered(await self._ask.get(self.settings.issuer.rstrip("/") + DISCOVERY), "discovery"))
            if found.get("issuer") != self.settings.issuer:
                raise IssuerAway(f"it calls itself {str(found.get('issuer'))[:200]!r}, and oidc_issuer says otherwise")
            self._endpoints = found
            await self._fetch_keys()
            self._asked_at = now
        return self._endpoints

    async def _fetch_keys(self) -> None:
        found = await self._ask.get(_url(self._endpoints, "jwks_uri"))
        self._keys = issuer_keys(_object(_answered(found, "the key set")))


def secure(url: str) -> bool:
    """Over TLS, or on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _AT_HOME))


def _url(document: Mapping[str, Any], name: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or not secure(url):
        raise IssuerAway(f"its {name} is no https:// address")
    return url


def _answered(found: Fetched, what: str) -> Fetched:
    if found.trouble or found.status != 200:
        raise IssuerAway(f"{what}: {found.trouble or f'it answered {found.status}'}")
    return found


def _object(found: Fetched) -> Mapping[str, Any]:
    try:
        document = json.loads(found.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise IssuerAway("what it answered is no JSON object")
    return document
