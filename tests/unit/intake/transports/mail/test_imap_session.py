"""IMAP sessions against a scripted server: logins, forms of answers, and a server that breaks off."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.intake.transports.mail.config import ImapSettings
from services.intake.transports.mail.imap_session import ImapError, ImapSession, open_session
from services.intake.transports.mail.oauth2 import AccessTokens, TokenUnavailableError
from tests.integration.notify.providers.test_smtp import self_signed_certificate, server_context

Answer = Callable[[str, str], list[bytes] | None]
"""The lines for a command and its arguments, without the tagged one; None closes the connection."""


class ScriptedServer:
    """Answers commands by a function; `OK` follows unless an answer ends with a line that begins with NO or waits for a line."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.commands: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).decode().strip():
            tag, _, command = line.partition(" ")
            name, _, arguments = command.removeprefix("UID ").partition(" ")
            self.commands.append(command)
            if name == "CAPABILITY":
                lines: list[bytes] | None = [b"* CAPABILITY IMAP4rev1"]
            elif name == "SELECT":
                lines = [b"* OK [UIDVALIDITY 7] ok"]
            else:
                lines = self._answer(name, arguments)
            if lines is None:
                break
            refused = bool(lines) and lines[-1].startswith(b"+")
            writer.write(b"".join(part + b"\r\n" for part in lines))
            if refused:
                assert (await reader.readline()) == b"\r\n", "the client answers a challenge with an empty line"
            writer.write(tag.encode() + (b" NO refused\r\n" if refused else b" OK done\r\n"))
        writer.close()


@asynccontextmanager
async def session_with(
    answer: Answer, tokens: AccessTokens | None = None, **changes: Any
) -> AsyncIterator[tuple[ImapSession, ScriptedServer]]:
    scripted = ScriptedServer(answer)
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login: dict[str, Any] = {"oauth2": tokens.settings} if tokens else {"password_env": "MAIL_PASSWORD"}
    settings = ImapSettings(host="127.0.0.1", port=port, security="none", username="to su", **{"timeout": 3} | login | changes)
    try:
        async with open_session(settings, tokens) as session:
            yield session, scripted
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
def tokens(tmp_path: Path) -> AccessTokens:
    (tmp_path / "token").write_text("access-token")
    return AccessTokens(ImapSettings.model_validate(_oauth2(tmp_path)).oauth2)  # type: ignore[arg-type]


def _oauth2(folder: Path) -> dict[str, Any]:
    return {"host": "127.0.0.1", "security": "none", "username": "u", "oauth2": {"token_file": str(folder / "token")}}


def nothing(_: str, __: str) -> list[bytes]:
    return []


async def test_xoauth2(tokens: AccessTokens) -> None:
    async with session_with(nothing, tokens) as (session, server):
        assert session.uid_validity == 7
    [login] = [command for command in server.commands if command.startswith("AUTHENTICATE")]
    assert base64.b64decode(login.removeprefix("AUTHENTICATE XOAUTH2 ")) == b"user=to su\x01auth=Bearer access-token\x01\x01"


async def test_refused_token_is_an_error_at_once(tokens: AccessTokens) -> None:
    def refuse(name: str, _: str) -> list[bytes]:
        return [b"+ eyJzdGF0dXMiOiI0MDEifQ=="] if name == "AUTHENTICATE" else []

    with pytest.raises(ImapError, match="LOGIN: the server refuses"):
        async with asyncio.timeout(2), session_with(refuse, tokens):
            pass


async def test_missing_token_names_its_remedy(tokens: AccessTokens, tmp_path: Path) -> None:
    (tmp_path / "token").unlink()
    with pytest.raises(TokenUnavailableError, match="token_file cannot be read; write the access token into it"):
        async with session_with(nothing, tokens):
            pass


async def test_name_and_password_are_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", 'a "b" \\ c')
    async with session_with(nothing) as (_, server):
        pass
    assert r'LOGIN "to su" "a \"b\" \\ c"' in server.commands


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"* 1 FETCH (UID 5 BODY[] {4}", b"a (b)"], {5: b"a (b"}),
        ([b"* 1 FETCH (BODY[] {3}", b"abc UID 5)"], {5: b"abc"}),
        ([b'* 1 FETCH (UID 5 BODY[] "a\\"b")'], {5: b'a"b'}),
        ([b"* 1 FETCH (UID 5 BODY[] {0}", b")"], {5: b""}),
        ([b"* 1 FETCH (UID 5 BODY[] NIL)"], {}),
        ([], {}),
        ([b"* 1 FETCH (UID 5 BODY[] {14}", b"1 FETCH (UID 9)"], {5: b"1 FETCH (UID 9"}),
        ([b"* 3 EXISTS", b"* 1 FETCH (UID 5 BODY[] {1}", b"x)", b"* 2 FETCH (UID 6 BODY[] {1}", b"y)"], {5: b"x", 6: b"y"}),
    ],
)
async def test_forms_of_fetched_mails(monkeypatch: pytest.MonkeyPatch, lines: list[bytes], expected: dict[int, bytes]) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "x")
    async with session_with(lambda name, _: lines if name == "FETCH" else []) as (session, _):
        assert await session.read([5, 6]) == expected


async def test_described_mails_and_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "x")

    def answer(name: str, _: str) -> list[bytes]:
        if name == "SEARCH":
            return [b"* SEARCH 9 3 4"]
        described = [
            b'* 1 FETCH (INTERNALDATE " 9-Nov-2026 09:00:00 +0800" RFC822.SIZE 12 UID 5)',
            b'* 2 FETCH (UID 4 RFC822.SIZE 3 INTERNALDATE "x")',
        ]
        return described if name == "FETCH" else []

    async with session_with(answer) as (session, _):
        assert await session.list_after(3) == [4, 9], "`4:*` matches the last mail, whatever its UID"
        assert await session.list_after(9) == []
        assert await session.list_until(4, "ALL") == [3, 4]
        first, second = await session.describe([4, 5])
        assert (first.uid, first.size, first.internal_date) == (4, 3, None)
        assert second.internal_date == datetime(2026, 11, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize("step", ["SEARCH", "LOGIN"])
async def test_server_that_breaks_off_is_an_error(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "x")
    with pytest.raises(ImapError):
        async with session_with(lambda name, _: None if name == step else [], timeout=0.5) as (session, _):
            await session.list_after(0)


async def test_nobody_listens() -> None:
    settings = ImapSettings(host="127.0.0.1", port=9, security="none", username="u", password_env="MAIL_PASSWORD", timeout=2)
    with pytest.raises(ImapError, match="connection"):
        async with open_session(settings, None):
            pass


async def test_tls_checks_the_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "x")
    pem = self_signed_certificate(tmp_path, "localhost")
    server = await asyncio.start_server(ScriptedServer(nothing).serve, "127.0.0.1", 0, ssl=server_context(pem))
    common: dict[str, Any] = {"port": server.sockets[0].getsockname()[1], "username": "u", "password_env": "MAIL_PASSWORD", "timeout": 3}
    async with open_session(ImapSettings(host="localhost", ca_file=pem, **common), None) as session:
        assert session.uid_validity == 7
    for wrong in ({"host": "localhost"}, {"host": "127.0.0.1", "ca_file": pem}):
        with pytest.raises(ImapError, match="connection"):
            async with open_session(ImapSettings(**wrong, **common), None):
                pass
    server.close()
    await server.wait_closed()
