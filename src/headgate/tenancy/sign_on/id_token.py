"""An ID token: whether the issuer signed it, for us, now, for this sign-in; and what it says of somebody."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import jwt

LEEWAY_S: Final = 60
"""How far the issuer's clock may be off."""
_LONGEST: Final = 320
"""Characters of an e-mail address."""


class BadToken(Exception):
    """Why a token is not taken, for the operator's log."""


class UnknownKey(BadToken):
    """It names a key that is not among those known: the issuer may have replaced its keys."""


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A public key of the issuer, and the one algorithm that it is used with."""

    id: str | None
    algorithm: str
    key: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claims:
    """What the issuer says of somebody. `email` is in lower case."""

    subject: str
    email: str
    email_verified: bool
    first_name: str
    last_name: str


def issuer_keys(document: Mapping[str, Any]) -> list[IssuerKey]:
    """Of a key set, those that we can check signatures with: RSA for RS256, P-256 for ES256. Nothing else is taken."""
    found = []
    for each in document.get("keys") or ():
        algorithm = _algorithm(each) if isinstance(each, Mapping) else None
        if algorithm is None or each.get("use", "sig") != "sig" or each.get("alg", algorithm) != algorithm:
            continue
        try:
            key = jwt.PyJWK(dict(each), algorithm).key
        except jwt.PyJWTError:
            continue
        found.append(IssuerKey(each.get("kid"), algorithm, key))
    return found


def verified(token: str, keys: Sequence[IssuerKey], *, issuer: str, client_id: str, nonce: str, now_s: int) -> Claims:
    """What it says. Raises `BadToken`, and `UnknownKey` where other keys may help."""
    try:
        header = jwt.get_unverified_header(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in ("RS256", "ES256"):
            raise BadToken(f"signed with {algorithm!r}, which is neither RS256 nor ES256")
        right = [each for each in keys if each.algorithm == algorithm and (key_id is None or each.id == key_id)]
        if not right:
            raise UnknownKey(f"signed with the key {key_id!r}, which the issuer does not publish")
        if len(right) > 1:
            raise BadToken("names no key, and the issuer has several")
        # Times and who it is for are checked below, against our own clock.
        unchecked = {f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")}
        told = jwt.decode(token, key=right[0].key, algorithms=[algorithm], options=unchecked)  # type: ignore[arg-type]
    except jwt.PyJWTError as error:
        raise BadToken(f"{type(error).__name__}: {error}") from None
    _require_for_us(told, issuer, client_id, nonce)
    _require_now(told, now_s)
    return _claims(told)


def _require_for_us(told: Mapping[str, Any], issuer: str, client_id: str, nonce: str) -> None:
    audience = told.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if told.get("iss") != issuer:
        raise BadToken("from another issuer")
    if client_id not in audiences or told.get("azp", client_id) != client_id:
        raise BadToken("for another application")
    if len(audiences) > 1 and "azp" not in told:
        raise BadToken("for several applications, without saying whose it is")
    if not hmac.compare_digest(str(told.get("nonce")).encode(), nonce.encode()):
        raise BadToken("of another sign-in: its nonce is not ours")


def _require_now(told: Mapping[str, Any], now_s: int) -> None:
    until, since, before = told.get("exp"), told.get("iat"), told.get("nbf", 0)
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in (until, since, before)):
        raise BadToken("without the times it is good for")
    if until <= now_s - LEEWAY_S:  # type: ignore[operator]
        raise BadToken("expired")
    if max(since, before) > now_s + LEEWAY_S:
        raise BadToken("from the future")


def _claims(told: Mapping[str, Any]) -> Claims:
    subject, email = told.get("sub"), told.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise BadToken("without a subject")
    if not isinstance(email, str) or not 0 < len(email) <= _LONGEST or "\0" in email + subject:
        raise BadToken("without an e-mail address: ask for the scope `email`")
    first = told.get("given_name") or told.get("name") or email.partition("@")[0]
    return Claims(
        subject=subject,
        email=email.lower(),
        email_verified=told.get("email_verified") in (True, "true"),
        first_name=_name(first),
        last_name=_name(told.get("family_name")),
    )


def _algorithm(key: Mapping[str, Any]) -> str | None:
    if key.get("kty") == "RSA":
        return "RS256"
    return "ES256" if (key.get("kty"), key.get("crv")) == ("EC", "P-256") else None


def _name(value: object) -> str:
    return "".join(each for each in str(value or "") if each.isprintable()).strip()[:100]
