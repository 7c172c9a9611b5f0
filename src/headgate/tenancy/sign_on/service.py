"""The two steps of single sign-on: to the issuer, and back from it with a code."""

import base64
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from headgate.base.errors import Unauthenticated, Unavailable
from headgate.base.ids import RandomBytes
from headgate.tenancy.administration import Administration
from headgate.tenancy.attempts import Attempts
from headgate.tenancy.origin import Origin
from headgate.tenancy.sign_on.id_token import BadToken, Claims
from headgate.tenancy.sign_on.issuer import CodeRefused, Issuer, IssuerAway
from headgate.tenancy.sign_on.matching import Matched, Matching
from headgate.tenancy.tickets import Tickets

WITHIN_S: Final = 600
"""How long somebody may take at the issuer."""
LONGEST: Final = 1_000
"""Characters of the page that he wanted, which is carried along."""
_PURPOSE: Final = "single sign-on"
_ERROR: Final = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and the ticket that it keeps in a cookie meanwhile."""

    url: str
    ticket: str


class SignOnService:
    """`site` is `/console` or `/portal`: a sign-in that was begun at one does not end at the other. `url` is where
    people reach Headgate."""

    def __init__(
        self,
        issuer: Issuer,
        matching: Matching,
        tickets: Tickets,
        administration: Administration,
        url: str,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._issuer = issuer
        self._matching = matching
        self._tickets = tickets
        self._url = url.rstrip("/")
        self._report = issuer.report
        self._random_bytes = random_bytes
        self._attempts = Attempts(administration, "sign on")

    async def begin(self, site: str, there: str) -> Begun:
        """`there`: the page he wanted. Raises `Unavailable`."""
        told = {name: self._random() for name in ("state", "nonce", "verifier")}
        try:
            url = await self._issuer.authorize_url(redirect=self._redirect(site), **told)
        except IssuerAway as error:
            raise self._away(error) from None
        carried = {**told, "site": site, "there": there if len(there) <= LONGEST else ""}
        return Begun(url, self._tickets.issue(_PURPOSE, carried, WITHIN_S))

    async def finish(self, site: str, answer: Mapping[str, str], ticket: str, origin: Origin) -> tuple[Matched, str]:
        """Who came back, with the page he wanted. `answer`: what the issuer sent along. Raises `Unauthenticated`,
        `Forbidden` and `Unavailable`, in words for him, and `RateLimited` for who tries too often."""
        async with self._attempts.trying(address=origin.client_ip):
            told = self._told(site, answer, ticket)
            claims = await self._claims(site, answer.get("code", ""), told)
            return await self._matching.user_of(claims, origin), told["there"]

    def _told(self, site: str, answer: Mapping[str, str], ticket: str) -> Mapping[str, str]:
        """The ticket, if it is this answer's."""
        told = self._tickets.read(_PURPOSE, ticket)
        if told is None or told["site"] != site:
            raise _over()
        if not hmac.compare_digest(answer.get("state", "").encode(), told["state"].encode()):
            raise _over()
        if answer.get("iss", self._issuer.settings.issuer) != self._issuer.settings.issuer:
            raise _over()
        if (error := answer.get("error")) is not None:
            raise _refused(error)
        return told

    async def _claims(self, site: str, code: str, told: Mapping[str, str]) -> Claims:
        kept = {"redirect": self._redirect(site), "nonce": told["nonce"], "verifier": told["verifier"]}
        try:
            return await self._issuer.claims(code, **kept)
        except IssuerAway as error:
            raise self._away(error) from None
        except CodeRefused:
            raise _over() from None
        except BadToken as error:
            self._report("single sign-on: an ID token was not taken", error)
            raise Unauthenticated(
                "What came back from where you signed in is not in order, so you are not let in. Try again; if it "
                "stays so, tell an administrator: the log says what is wrong.",
                code="sign_on_token",
            ) from None

    def _away(self, error: IssuerAway) -> Unavailable:
        self._report("single sign-on: the issuer is away", error)
        return Unavailable(
            "Single sign-on does not answer now. Try again in a moment, or sign in another way.", code="sign_on_away"
        )

    def _redirect(self, site: str) -> str:
        """It is registered at the issuer, letter by letter."""
        return f"{self._url}{site}/sign-on/callback"

    def _random(self) -> str:
        return base64.urlsafe_b64encode(self._random_bytes(32)).decode().rstrip("=")


def _over() -> Unauthenticated:
    return Unauthenticated("This sign-in is over, or was begun in another browser. Begin it anew.", code="sign_on_over")


def _refused(error: str) -> Unauthenticated:
    words = "You were not let in there, or turned back."
    if error != "access_denied":
        words = f"The answer was `{error}`." if _ERROR.fullmatch(error) else "The answer was no name of an error."
    return Unauthenticated(f"Single sign-on did not work out. {words} Begin it anew.", code="sign_on_refused")
