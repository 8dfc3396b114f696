"""An OpenID provider whose every word a test may change: what a hostile, broken or compromised one would say."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

CLIENT = "podium"
SECRET = "the client's secret"
ANSWER = tuple[int, dict[str, str], bytes]


class Key:
    """An RSA key with a name."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def jwk(self) -> dict[str, Any]:
        text = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key())
        return {**json.loads(text), "kid": self.kid, "use": "sig", "alg": "RS256"}

    @property
    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def pkcs1(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)

    @property
    def secret_pem(self) -> bytes:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, claims: dict[str, Any], algorithm: str = "RS256", **header: Any) -> str:
        """Whatever the claims are: PyJWT itself would refuse to make some of them."""
        content = json.dumps(claims).encode()
        return jwt.PyJWS().encode(content, self.private, algorithm, {"kid": self.kid, "typ": "JWT", **header})


@dataclass
class Hostile:
    """`claims` None takes a claim away. `answers` replaces whole answers by path; `asked` counts the requests."""

    issuer: str = ""
    key: Key = field(default_factory=lambda: Key("first"))
    keys: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    id_token: Callable[[dict[str, Any]], str] | None = None
    answers: dict[str, Callable[[], ANSWER]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    seen_tokens_request: dict[str, str] = field(default_factory=dict)

    def authorize(self, url: str, subject: str = "subject-1") -> dict[str, str]:
        """What the browser brings back after somebody logged in: the query of the callback."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = {**query, "sub": subject}
        named = {"iss": self.issuer} if self.metadata.get("authorization_response_iss_parameter_supported") else {}
        return {"code": code, "state": query["state"], **named}

    def answer(self, path: str, form: dict[str, str]) -> ANSWER:
        self.asked[path] = self.asked.get(path, 0) + 1
        if path in self.answers:
            return self.answers[path]()
        if path == "/.well-known/openid-configuration":
            return self._json(self._document())
        if path == "/keys":
            return self._json({"keys": self.keys or [self.key.jwk]})
        if path == "/token":
            return self._tokens(form)
        if path == "/userinfo":
            return self._json({"sub": "subject-1", **self.userinfo})
        return 404, {}, b""

    def _document(self) -> dict[str, Any]:
        usual = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }
        return {name: value for name, value in {**usual, **self.metadata}.items() if value is not None}

    def _tokens(self, form: dict[str, str]) -> ANSWER:
        self.seen_tokens_request = form
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or _challenge(form.get("code_verifier", "")) != asked["code_challenge"]:
            return 400, {"content-type": "application/json"}, b'{"error": "invalid_grant"}'
        claims = self.claims_for(asked["sub"], asked["nonce"])
        text = self.id_token(claims) if self.id_token else self.key.sign(claims)
        return self._json({"access_token": "opaque", "token_type": "Bearer", "id_token": text, **self.token})

    def claims_for(self, subject: str, nonce: str) -> dict[str, Any]:
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "sub": subject, "iat": now, "exp": now + 60, "nonce": nonce}
        return {name: value for name, value in {**usual, **self.claims}.items() if value is not None}

    @staticmethod
    def _json(content: Any) -> ANSWER:
        return 200, {"content-type": "application/json"}, json.dumps(content).encode()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@contextmanager
def serving(hostile: Hostile) -> Iterator[Hostile]:
    """It answers on loopback while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(hostile.answer(urlsplit(self.path).path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._send(hostile.answer(urlsplit(self.path).path, form))

        def _send(self, answer: ANSWER) -> None:
            status, headers, body = answer
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    hostile.issuer = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hostile
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
