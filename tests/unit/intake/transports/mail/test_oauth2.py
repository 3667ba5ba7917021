"""Access tokens: from a file, or by a refresh token, renewed before they expire."""

from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from services.intake.transports.mail import oauth2
from services.intake.transports.mail.config import OAuth2Settings
from services.intake.transports.mail.oauth2 import AccessTokens, TokenUnavailableError


class TokenServer:
    """Answers the requests of the refresh token flow."""

    def __init__(self) -> None:
        self.requests: list[dict[str, list[str]]] = []
        self.status = 200
        self.rotated: list[str | None] = []

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(parse_qs(request.content.decode()))
        if self.status != 200:
            return httpx.Response(self.status, json={"error": "invalid_grant"})
        answer = {"access_token": f"token-{len(self.requests)}", "expires_in": 3600}
        return httpx.Response(200, json=answer | ({"refresh_token": self.rotated.pop(0)} if self.rotated else {}))


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> tuple[AccessTokens, TokenServer]:
    monkeypatch.setenv("REFRESH", "refresh-secret")
    monkeypatch.setenv("CLIENT", "client-secret")
    settings = OAuth2Settings(
        token_url="https://login.example/token", client_id="app", client_secret_env="CLIENT", refresh_token_env="REFRESH", scope="imap"
    )
    server = TokenServer()
    return AccessTokens(settings, server.client), server


async def test_token_is_fetched_once_and_renewed_before_it_expires(
    tokens: tuple[AccessTokens, TokenServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    access, server = tokens
    now = 1000.0
    monkeypatch.setattr(oauth2, "monotonic", lambda: now)
    assert [await access.current(), await access.current()] == ["token-1", "token-1"]
    assert server.requests == [
        {
            "grant_type": ["refresh_token"],
            "client_id": ["app"],
            "refresh_token": ["refresh-secret"],
            "client_secret": ["client-secret"],
            "scope": ["imap"],
        }
    ]
    now += 3600 - 59
    assert await access.current() == "token-2"
    access.expire()
    assert await access.current() == "token-3", "a token that the mail server refused"


async def test_refused_refresh_names_the_remedy_and_no_secret(tokens: tuple[AccessTokens, TokenServer]) -> None:
    access, server = tokens
    server.status = 400
    with pytest.raises(TokenUnavailableError, match=r"gave no token \(HTTP 400\); check client_id") as raised:
        await access.current()
    assert "secret" not in str(raised.value).replace("client secret", "")


async def test_rotated_refresh_token_replaces_the_one_before(tokens: tuple[AccessTokens, TokenServer]) -> None:
    access, server = tokens
    server.rotated = ["second-secret", None, "", "third-secret"]
    for _ in range(4):
        await access.current()
        access.expire()
    server.status = 500
    with pytest.raises(TokenUnavailableError):
        await access.current()
    used = [request["refresh_token"][0] for request in server.requests]
    assert used == ["refresh-secret", "second-secret", "second-secret", "second-secret", "third-secret"]
    assert "third-secret" not in repr(access)


async def test_token_file_is_read_at_every_login(tmp_path: Path) -> None:
    path = tmp_path / "token"
    access = AccessTokens(OAuth2Settings(token_file=path))
    with pytest.raises(TokenUnavailableError, match="token_file cannot be read"):
        await access.current()
    path.write_text("one\n")
    assert await access.current() == "one"
    path.write_text("two")
    assert await access.current() == "two"
    path.write_text(" ")
    with pytest.raises(TokenUnavailableError, match="is empty"):
        await access.current()
