"""An OpenID provider on loopback: metadata, keys, the code flow with PKCE (RFC 7636), and the end of a session.

It speaks the protocol as OpenID Connect Core 1.0 lays it down and refuses what a provider refuses: an unknown client, another redirect
address, a code that was used, a verifier that does not fit. `tokens` are made by the test, wrong ones too.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT_ID, CLIENT_SECRET, AUDIENCE = "jiesu-desk", "the client's secret", "jiesu"


@cache
def rsa_key(key_id: str) -> RSAKey:
    """A key of this id, made once a session: a key takes a quarter of a second."""
    return RSAKey.generate_key(2048, {"kid": key_id})


@dataclass
class Grant:
    """What an authorization code stands for."""

    account: str
    nonce: str
    challenge: str
    redirect_uri: str


@dataclass
class OidcProvider:
    """Listens for the length of a block: `with OidcProvider() as provider: provider.issuer`."""

    keys: list[RSAKey | ECKey] = field(default_factory=lambda: [rsa_key("first")])
    account: str = "li"
    """Who signs in at the provider's page."""
    requests: list[str] = field(default_factory=list)
    """The paths that were requested, in order."""
    id_claims: dict[str, Any] = field(default_factory=dict)
    """Claims of ID tokens that replace the true ones."""
    failing: bool = False
    """Answer every request with 503."""

    def __post_init__(self) -> None:
        self.grants: dict[str, Grant] = {}
        self.refresh_tokens: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}/realms/estate"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def access_token(self, key: RSAKey | ECKey | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A signed access token; `claims` replace the true ones, None leaves one out."""
        now = int(time.time())
        true = {"iss": self.issuer, "aud": AUDIENCE, "sub": "f3a1", "iat": now, "exp": now + 300, "preferred_username": self.account}
        return self._signed({**true, **claims}, key, header or {})

    def id_token(self, nonce: str, **claims: Any) -> str:
        """A signed ID token for the client."""
        now = int(time.time())
        true = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "f3a1", "iat": now, "exp": now + 300, "nonce": nonce, "sid": "s-1"}
        return self._signed({**true, "preferred_username": self.account, **self.id_claims, **claims}, None, {})

    def logout_token(self, **claims: Any) -> str:
        """A signed token of a back-channel logout."""
        now = int(time.time())
        events: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
        true = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 60, "sub": "f3a1", "events": events}
        return self._signed({**true, "jti": secrets.token_hex(8), **claims}, None, {"typ": "logout+jwt"})

    def metadata(self) -> dict[str, Any]:
        """The document of .well-known/openid-configuration."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "end_session_endpoint": f"{self.issuer}/logout",
            "jwks_uri": f"{self.issuer}/certs",
            "code_challenge_methods_supported": ["S256"],
        }

    def _signed(self, claims: dict[str, Any], key: RSAKey | ECKey | None, header: dict[str, Any]) -> str:
        signer = key or self.keys[0]
        algorithm = "ES256" if isinstance(signer, ECKey) else "RS256"
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": signer.kid, **header}, kept, signer)

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent after somebody signed in as `account`; raises ValueError for what the provider refuses."""
        if query.get("client_id") != CLIENT_ID or query.get("response_type") != "code" or "openid" not in query.get("scope", "").split():
            raise ValueError("invalid_request")
        if query.get("code_challenge_method") != "S256" or not query.get("state"):
            raise ValueError("invalid_request: PKCE and state are required of this client")
        code = secrets.token_urlsafe(16)
        self.grants[code] = Grant(self.account, query.get("nonce", ""), query["code_challenge"], query["redirect_uri"])
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def redeem(self, form: dict[str, str], authorization: str) -> dict[str, Any]:
        """The tokens for a code; raises ValueError for what the provider refuses."""
        expected = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        sent_in_body = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if authorization != expected and not sent_in_body:
            raise ValueError("invalid_client")
        if form.get("grant_type") == "refresh_token":
            # Rotation: each refresh token is used once.
            if form.get("refresh_token") not in self.refresh_tokens:
                raise ValueError("invalid_grant")
            self.refresh_tokens.remove(form["refresh_token"])
            return {"access_token": self.access_token(), "refresh_token": self._refresh_token(), "token_type": "Bearer", "expires_in": 600}
        grant = self.grants.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if grant is None or grant.redirect_uri != form.get("redirect_uri") or grant.challenge != challenge:
            raise ValueError("invalid_grant")
        tokens = {"access_token": self.access_token(), "id_token": self.id_token(grant.nonce)}
        return {**tokens, "refresh_token": self._refresh_token(), "token_type": "Bearer", "expires_in": 300}

    def _refresh_token(self) -> str:
        token = secrets.token_urlsafe(16)
        self.refresh_tokens.add(token)
        return token


def _handler(provider: OidcProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            provider.requests.append(url.path.rpartition("/")[2])
            if provider.failing:
                return self._answer(503, {})
            match url.path.rpartition("/")[2]:
                case "openid-configuration":
                    return self._answer(200, provider.metadata())
                case "certs":
                    return self._answer(200, {"keys": [dict(key.as_dict(private=False)) | {"use": "sig"} for key in provider.keys]})
                case "auth":
                    try:
                        return self._redirect(provider.authorize({name: values[0] for name, values in parse_qs(url.query).items()}))
                    except ValueError as error:
                        return self._answer(400, {"error": str(error)})
            return self._answer(404, {})

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
            provider.requests.append(self.path.rpartition("/")[2])
            if provider.failing:
                return self._answer(503, {})
            try:
                tokens = provider.redeem({name: values[0] for name, values in form.items()}, self.headers.get("authorization", ""))
            except ValueError as error:
                return self._answer(400, {"error": str(error)})
            return self._answer(200, tokens)

        def _redirect(self, address: str) -> None:
            self.send_response(302)
            self.send_header("location", address)
            self.send_header("content-length", "0")
            self.end_headers()

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

    return Handler
