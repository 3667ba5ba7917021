"""Bearer tokens are found by the hash of the whole token."""

from hashlib import sha256

import pytest
from fastapi import Request

from shared.runtime.http.bearer import BearerTokens, bearer_token, unauthorized

TOKENS = BearerTokens([(sha256(b"wang's token").hexdigest(), "wang"), (sha256(b"li's token").hexdigest().upper(), "li")])


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", ""),
        ("Bearer", ""),
        ("", ""),
        ("abc", ""),
    ],
)
def test_token_is_read_from_a_bearer_header_only(header: str, token: str) -> None:
    assert bearer_token(Request({"type": "http", "headers": [(b"authorization", header.encode())]})) == token


def test_request_without_authorization_has_no_token() -> None:
    assert not bearer_token(Request({"type": "http", "headers": []}))


@pytest.mark.parametrize(("token", "owner"), [("wang's token", "wang"), ("li's token", "li"), ("wang's toke", None), ("", None)])
def test_owner_is_found_by_the_whole_token(token: str, owner: str | None) -> None:
    assert TOKENS.find(token) == owner


def test_empty_token_is_unknown_even_if_its_hash_is_known() -> None:
    assert BearerTokens([(sha256(b"").hexdigest(), "nobody")]).find("") is None


def test_unauthorized_carries_the_challenge() -> None:
    problem = unauthorized("Authorization: send a token")
    assert problem.document() == {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "Authorization: send a token"}
    assert problem.headers == {"WWW-Authenticate": "Bearer"}
