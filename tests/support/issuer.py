"""An issuer of identities on loopback: discovery, authorisation, tokens and keys, over real HTTP, with real signatures.

It takes a code once, for the verifier, the client and the address it was made for, as the standard says. What it says
and how it errs, tests set.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support.model_lists import answer
from tests.support.raw_server import Peer, RawServer

CLIENT, SECRET = "headgate", "s3cret:of%the client"
FOUND = b"HTTP/1.1 302 X\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n"
RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@dataclass
class LoopbackIssuer:
    """`person` is who signs in there; `claims` change what a token says, `header` how it says it is signed."""

    now_s: int
    url: str = ""
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "ann-1", "email": "Ann@Example.com", "email_verified": True, "name": "Ann"}
    )
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: Any = RSA
    key_id: str = "one"
    signed_by: Any = None
    error: str = ""
    down: set[str] = field(default_factory=set)
    discovery: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def rotate(self, key_id: str, *, elliptic: bool = False) -> None:
        """Another key in the place of the one before."""
        self.key_id = key_id
        self.key = ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65_537, 2_048)
        self.algorithm = "ES256" if elliptic else "RS256"

    def token(self, nonce: str) -> str:
        told = {"iss": self.url, "aud": CLIENT, "iat": self.now_s, "exp": self.now_s + 300, "nonce": nonce}
        told = {name: value for name, value in {**told, **self.person, **self.claims}.items() if value is not None}
        key: Any = None if self.algorithm == "none" else self.signed_by or self.key
        return jwt.encode(told, key, self.algorithm, {"kid": self.key_id, **self.header})

    async def serve(self, peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            path = head.split(b" ")[1].decode()
            self.asked.append(path.partition("?")[0])
            await peer.send(self._answered(path, head, body))

    def _answered(self, path: str, head: bytes, body: bytes) -> bytes:
        where = urlsplit(path)
        if where.path in self.down:
            return answer(500, b"oops")
        query = {name: values[0] for name, values in parse_qs(where.query).items()}
        if where.path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
            told = {"issuer": self.url, **{name: self.url + each for name, each in names.items()}, **self.discovery}
            return answer(200, json.dumps(told).encode())
        if where.path == "/jwks":
            return answer(200, json.dumps({"keys": [self._public()]}).encode())
        if where.path == "/authorize":
            return FOUND % self._authorized(query).encode()
        assert where.path == "/token", path
        status, told = self._exchanged(head, {name: values[0] for name, values in parse_qs(body.decode()).items()})
        return answer(status, json.dumps(told).encode())

    def _public(self) -> dict[str, Any]:
        kind = jwt.algorithms.ECAlgorithm if self.algorithm == "ES256" else jwt.algorithms.RSAAlgorithm
        told: dict[str, Any] = json.loads(kind.to_jwk(self.key.public_key()))
        return {**told, "kid": self.key_id, "use": "sig"}

    def _authorized(self, query: dict[str, str]) -> str:
        """Back to the application: with a code for who asked, or with an error."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        told = {"state": query["state"]}
        if self.error:
            return f"{query['redirect_uri']}?{urlencode({**told, 'error': self.error})}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({**told, 'code': code, 'iss': self.url})}"

    def _exchanged(self, head: bytes, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        pair = base64.b64encode(f"{CLIENT}:{quote_plus(SECRET)}".encode())
        if b"authorization: Basic " + pair not in head:
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or asked["redirect_uri"] != form["redirect_uri"] or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.token(asked["nonce"])}


@asynccontextmanager
async def issuing(now_s: int) -> AsyncIterator[LoopbackIssuer]:
    """One that runs."""
    issuer = LoopbackIssuer(now_s)
    async with RawServer(issuer.serve) as server:
        issuer.url = f"http://127.0.0.1:{server.port}"
        yield issuer
