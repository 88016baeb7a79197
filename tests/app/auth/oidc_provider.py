"""A small OpenID provider on loopback: it signs, checks PKCE and the client, and can lie."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "midspan", "client-secret"


class OpenIdProvider:
    """`claims` and `headers` change what its tokens say; `who` is logged in there."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1"})
        self.sign_with = self.key
        self.forges = False
        self.who: dict[str, object] = {"email": "admin@acme.example", "email_verified": True}
        self.claims: dict[str, object] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.now_s = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.token(self)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.said_issuer = self.issuer
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def get(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        if parts.path == "/.well-known/openid-configuration":
            answer(handler, 200, {
                "issuer": self.said_issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            })  # fmt: skip
        elif parts.path == "/keys":
            answer(handler, 200, {"keys": [self.key.as_dict(private=False)]})
        elif parts.path == "/authorize":
            asked = {name: value[0] for name, value in parse_qs(parts.query).items()}
            code = secrets.token_urlsafe(8)
            self.codes[code] = asked
            back = urlencode({"code": code, "state": asked["state"]})
            handler.send_response(302)
            handler.send_header("Location", f"{asked['redirect_uri']}?{back}")
            handler.end_headers()

    def token(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers["Content-Length"])
        form = {k: v[0] for k, v in parse_qs(handler.rfile.read(length).decode()).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(
            hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        )
        if (
            asked is None
            or handler.headers.get("Authorization") != f"Basic {basic}"
            or asked.get("code_challenge_method") != "S256"
            or asked["code_challenge"] != challenge.decode().rstrip("=")
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            answer(handler, 400, {"error": "invalid_grant"})
            return
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "7", "nonce": asked["nonce"],
            "iat": self.now_s, "exp": self.now_s + 300, **self.who, **self.claims,
        }  # fmt: skip
        if self.forges:
            signed = signed_with_the_public_key(self, claims)
        else:
            signed = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.sign_with)
        answer(handler, 200, {
            "access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": signed
        })  # fmt: skip


def answer(handler: BaseHTTPRequestHandler, status: int, body: object) -> None:
    raw = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw)


def signed_with_the_public_key(provider: OpenIdProvider, claims: dict[str, object]) -> str:
    """The trick of signing with the public key as if it were a secret both sides know."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256", "kid": "k1"}, claims)
    ]
    secret = provider.key.as_pem(private=False)
    mac = hmac.digest(secret, ".".join(parts).encode(), "sha256")
    return ".".join([*parts, base64.urlsafe_b64encode(mac).decode().rstrip("=")])
