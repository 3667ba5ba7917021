"""Bearer authentication (RFC 6750) against SHA-256 hashes of tokens."""

import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Generic, TypeVar

from fastapi import Request
from fastapi.security import HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param

from shared.runtime.http.problem import Fault, HttpProblem, ProblemType

UNAUTHORIZED = ProblemType("", 401, "Unauthorized")
BEARER_SCHEME = HTTPBearer(auto_error=False)
"""A dependency that adds the security scheme to OpenAPI; it does not refuse a request."""
OwnerT = TypeVar("OwnerT")


def bearer_token(request: Request) -> str:
    """The token of the Authorization header; empty without one, or with another scheme than Bearer."""
    scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
    return token.strip() if scheme.lower() == "bearer" else ""


class BearerTokens(Generic[OwnerT]):
    """Known tokens, each as the hex SHA-256 of the token with its owner."""

    def __init__(self, owners: Iterable[tuple[str, OwnerT]]) -> None:
        self._owners = [(bytes.fromhex(token_sha256), owner) for token_sha256, owner in owners]

    def find(self, token: str) -> OwnerT | None:
        """The owner of a token. Compares with every hash in constant time, so that the duration reveals nothing about them."""
        digest = sha256(token.encode()).digest()
        matches = [owner for token_hash, owner in self._owners if hmac.compare_digest(token_hash, digest)]
        return matches[0] if token and matches else None


def unauthorized(detail: str = "", faults: Sequence[Fault] = (), problem_type: ProblemType = UNAUTHORIZED) -> HttpProblem:
    """A 401 with the challenge of RFC 6750."""
    return HttpProblem(problem_type, detail, faults, {"WWW-Authenticate": "Bearer"})
