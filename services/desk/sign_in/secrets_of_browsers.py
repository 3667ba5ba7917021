"""Random values that a browser keeps, and what is derived from them; the database holds only their hashes."""

import base64
import hashlib
import hmac
import secrets

_BYTES = 32


def new_secret() -> str:
    """A value of 256 random bits, as a cookie or an address may carry it."""
    return secrets.token_urlsafe(_BYTES)


def secret_hash(secret: str) -> bytes:
    """The stored form of a secret: it is random, so that no salt is needed."""
    return hashlib.sha256(b"jiesu desk " + secret.encode()).digest()


def derived_token(secret: str, purpose: str) -> str:
    """A token that only this browser's pages contain; it reveals nothing of the secret."""
    return hmac.digest(secret.encode(), purpose.encode(), "sha256").hex()


def derived_key(secret: str) -> bytes:
    """The key under which what belongs to the secret is stored: anyone who has the database alone cannot read it."""
    return hmac.digest(secret.encode(), b"jiesu desk session key", "sha256")


def is_derived_token(token: str, secret: str, purpose: str) -> bool:
    """Whether a token is the one of this secret; without a secret none is."""
    return bool(secret) and hmac.compare_digest(token.encode(), derived_token(secret, purpose).encode())


def pkce_challenge(verifier: str) -> str:
    """The challenge of a verifier by S256 (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
