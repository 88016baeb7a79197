"""Log-in with an OpenID Connect provider: the code flow, with PKCE, state and nonce.

Authlib speaks OAuth, joserfc checks the token. Whoever comes back is matched by an e-mail that the
provider has verified with a user who is here already: a provider lets nobody in who was not
invited. Nothing of the provider is kept but its description, for an hour.
"""

import secrets
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from itsdangerous import BadSignature, URLSafeSerializer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.domain.window import HOUR_US, MINUTE_US, SECOND_US
from app.errors import Refused, Unavailable
from app.settings import Settings

TIMEOUT_S = 5
LIFE_US = 10 * MINUTE_US
#: What a token may be signed with: never `none`, never a secret that both sides know.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"]
_NOT_BELIEVED = "The provider's answer could not be believed. Start again."


@dataclass(frozen=True, slots=True)
class Flow:
    """What one browser carries to the provider and back."""

    state: str
    nonce: str
    verifier: str
    target: str
    expires_us: int


class Sealer:
    """Flows as text that only this Midspan can have written."""

    def __init__(self, key: str) -> None:
        self._serializer = URLSafeSerializer(key, salt="oidc-flow")

    def seal(self, flow: Flow) -> str:
        """The text of a flow."""
        sealed = self._serializer.dumps(asdict(flow))
        return sealed if isinstance(sealed, str) else sealed.decode()

    def open(self, text: str, now_us: int) -> Flow | None:
        """The flow of a text; None for one that is not ours or is over."""
        try:
            flow = Flow(**self._serializer.loads(text))
        except BadSignature:
            return None
        return flow if flow.expires_us > now_us else None


class Provider:
    """The provider of the settings, described by itself."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = (settings.oidc_issuer or "").rstrip("/")
        self._client_id = settings.oidc_client_id or ""
        self._secret = settings.oidc_client_secret
        self._back = f"{settings.base_url}/login/oidc/back"
        self._known: tuple[int, dict[str, Any]] | None = None
        self._lock = Lock()

    def begin(self, target: str, now_us: int) -> tuple[str, Flow]:
        """Where to send the browser, and what it carries. `Unavailable` when the provider is."""
        flow = Flow(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            target=target,
            expires_us=now_us + LIFE_US,
        )
        with self._session() as session:
            address, _ = session.create_authorization_url(
                self._described(now_us)["authorization_endpoint"],
                state=flow.state,
                nonce=flow.nonce,
                code_verifier=flow.verifier,
            )
        return address, flow

    def finish(self, code: str, flow: Flow, now_us: int) -> str:
        """The verified e-mail of who comes back with `code`. `Refused` when the provider's answer
        is not to be believed, `Unavailable` when it gives none."""
        described = self._described(now_us)
        try:
            with self._session() as session:
                given = session.fetch_token(
                    described["token_endpoint"],
                    code=code,
                    code_verifier=flow.verifier,
                    timeout=TIMEOUT_S,
                )
        except OAuthError as error:
            raise Refused(_NOT_BELIEVED) from error
        except (requests.RequestException, ValueError) as error:
            raise _away(error) from error
        claims = self._claims(given.get("id_token"), described["jwks_uri"], flow.nonce, now_us)
        email = claims.get("email")
        if claims.get("email_verified") is not True or not isinstance(email, str):
            raise Refused("The provider has not verified the e-mail of this account.")
        return email

    def _session(self) -> OAuth2Session:
        return OAuth2Session(
            self._client_id,
            self._secret,
            scope="openid email",
            redirect_uri=self._back,
            code_challenge_method="S256",
        )

    def _described(self, now_us: int) -> dict[str, Any]:
        with self._lock:
            if self._known is None or now_us - self._known[0] >= HOUR_US:
                found = _fetch(f"{self._issuer}/.well-known/openid-configuration")
                if str(found.get("issuer", "")).rstrip("/") != self._issuer:
                    raise Refused("The provider says it is another one: check MIDSPAN_OIDC_ISSUER.")
                self._known = (now_us, found)
            return self._known[1]

    def _claims(self, token: Any, jwks_uri: str, nonce: str, now_us: int) -> dict[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            now=now_us // SECOND_US,
            leeway=60,
            iss={"essential": True, "values": [self._issuer, f"{self._issuer}/"]},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            keys = KeySet.import_key_set(_fetch(jwks_uri))
            read = jwt.decode(str(token), keys, algorithms=ALGORITHMS)
            registry.validate(read.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Refused(_NOT_BELIEVED) from error
        return dict(read.claims)


def _fetch(address: str) -> Any:
    try:
        answer = requests.get(address, timeout=TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        return answer.json()
    except (requests.RequestException, ValueError) as error:
        raise _away(error) from error


def _away(error: Exception) -> Unavailable:
    return Unavailable(f"the OpenID provider does not answer: {error}")
