"""One IMAP session (RFC 3501, IDLE RFC 2177): the parts that the library leaves to its caller, such as limits and errors."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from aioimaplib import IMAP4, IMAP4_SSL, AioImapException, Response
from aioimaplib.aioimaplib import quoted

from services.intake.transports.mail.config import ImapSettings, secret
from services.intake.transports.mail.oauth2 import AccessTokens, TokenUnavailableError

_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_INTERNAL_DATE = re.compile(rb'\bINTERNALDATE "([^"]{1,40})"')
# A server may send a short mail as a quoted string instead of a literal.
_QUOTED_BODY = re.compile(rb'BODY\[\] "((?:[^"\\]|\\.){0,2000})"')
_ESCAPED = re.compile(rb"\\(.)")
_FETCH = re.compile(rb"\d+ FETCH \(")
_UID_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]", re.IGNORECASE)
# The library handles the lines of a packet by recursion: beyond about a thousand lines it fails.
UIDS_OF_A_FETCH = 50


class ImapError(OSError):
    """The server cannot be used at the moment; the text names the step, never a secret."""


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail on the server: UID, size in bytes, and when the server received it."""

    uid: int
    size: int
    internal_date: datetime | None


class ImapSession:
    """A session with the folder selected; every call raises `ImapError` when the server fails."""

    def __init__(self, client: IMAP4, settings: ImapSettings, uid_validity: int) -> None:
        self._client = client
        self._settings = settings
        self.uid_validity = uid_validity

    @property
    def has_idle(self) -> bool:
        """Whether the server announces new mails by IDLE."""
        return bool(self._client.has_capability("IDLE"))

    async def list_after(self, uid: int) -> list[int]:
        """The UIDs above a UID, in order."""
        return await self._search(f"UID {uid + 1}:*", minimum=uid + 1)

    async def list_until(self, uid: int, condition: str) -> list[int]:
        """The UIDs up to a UID of mails for which the condition (of SEARCH) holds."""
        return [found for found in await self._search(f"UID 1:{uid} {condition}", minimum=1) if found <= uid] if uid else []

    async def describe(self, uids: Sequence[int]) -> list[StoredMail]:
        """Size and instant of mails, at most `UIDS_OF_A_FETCH`; those that are gone are left out."""
        response = await self._uid("fetch", _set(uids), "(UID RFC822.SIZE INTERNALDATE)")
        found = [_stored(line) for line in _messages(response)]
        return sorted((mail for mail in found if mail is not None), key=lambda mail: mail.uid)

    async def read(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The bytes of mails by UID, without marking them as seen; those that are gone are left out."""
        response = await self._uid("fetch", _set(uids), "(UID BODY.PEEK[])")
        return dict(_contents(response))

    async def settle(self, uids: Sequence[int]) -> None:
        """Mark, delete or move mails that are durable here, by the mailbox' `after`."""
        if not uids or self._settings.after == "keep":
            return
        if self._settings.after == "move":
            with _errors("MOVE"):
                if self._client.has_capability("MOVE"):
                    await self._checked("MOVE", self._client.uid("move", _set(uids), quoted(self._settings.move_to)))
                    return
            await self._uid("copy", _set(uids), quoted(self._settings.move_to))
        flag = r"(\Seen)" if self._settings.after == "seen" else r"(\Deleted)"
        await self._uid("store", _set(uids), "+FLAGS.SILENT", flag)
        if self._settings.after != "seen" and self._client.has_capability("UIDPLUS"):
            # Without UIDPLUS the server removes them when its owner does: EXPUNGE would remove what others marked.
            await self._uid("expunge", _set(uids))

    async def wait_for_news(self, seconds: float, stop: asyncio.Event) -> None:
        """Wait until the server announces something, `stop` is set or the time is over."""
        with _errors("IDLE"):
            idle = await asyncio.wait_for(self._client.idle_start(timeout=seconds + self._settings.timeout), self._settings.timeout)
            push = asyncio.ensure_future(self._client.wait_server_push(timeout=seconds))
            stopped = asyncio.ensure_future(stop.wait())
            try:
                await asyncio.wait([push, stopped, idle], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (push, stopped):
                    task.cancel()
                await asyncio.gather(push, stopped, return_exceptions=True)
            self._client.idle_done()
            await asyncio.wait_for(idle, self._settings.timeout)

    async def check_alive(self) -> None:
        """Let the server report changes."""
        await self._checked("NOOP", self._client.noop())

    async def _search(self, criteria: str, minimum: int) -> list[int]:
        response = await self._checked("SEARCH", self._client.uid_search(criteria, charset=None))
        numbers = {int(word) for line in response.lines[:-1] for word in bytes(line).split() if word.isdigit()}
        # `n:*` always matches the last mail, whatever its UID (RFC 3501, 6.4.8).
        return sorted(number for number in numbers if number >= minimum)

    async def _uid(self, command: str, *arguments: str) -> Response:
        return await self._checked(f"UID {command.upper()}", self._client.uid(command, *arguments))

    async def _checked(self, step: str, call: object) -> Response:
        with _errors(step):
            response: Response = await asyncio.wait_for(call, self._settings.timeout)  # type: ignore[arg-type]
        if response.result != "OK":
            raise ImapError(f"{step}: the server answered {response.result}")
        return response


@asynccontextmanager
async def open_session(settings: ImapSettings, tokens: AccessTokens | None) -> AsyncIterator[ImapSession]:
    """A session with the folder of the mailbox selected; raises `ImapError`."""
    client = await _connect(settings)
    try:
        await _log_in(client, settings, tokens)
        with _errors("folder"):
            selected = await asyncio.wait_for(client.select(quoted(settings.folder)), settings.timeout)
        validity = _UID_VALIDITY.search(b"\n".join(bytes(line) for line in selected.lines))
        if selected.result != "OK" or validity is None:
            raise ImapError("the folder cannot be selected; check imap.folder")
        yield ImapSession(client, settings, int(validity[1]))
        with suppress(OSError, TimeoutError, AioImapException):
            await asyncio.wait_for(client.logout(), 2)
    finally:
        transport = client.protocol.transport
        if transport is not None:
            transport.close()


async def _connect(settings: ImapSettings) -> IMAP4:
    with _errors("connection"):
        if settings.security == "tls":
            context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
            client: IMAP4 = IMAP4_SSL(settings.host, settings.port, timeout=settings.timeout, ssl_context=context)
        else:
            client = IMAP4(settings.host, settings.port, timeout=settings.timeout)
        await client.wait_hello_from_server()
    return client


async def _log_in(client: IMAP4, settings: ImapSettings, tokens: AccessTokens | None) -> None:
    with _errors("LOGIN"):
        if tokens is not None:
            response = await _authenticate(client, settings.username, await tokens.current())
        else:
            response = await client.login(quoted(settings.username), secret(settings.password_env).get_secret_value())
    if response.result != "OK":
        if tokens is not None:
            tokens.expire()
        raise ImapError("LOGIN: the server refuses name or password; check imap.username and the secret")


async def _authenticate(client: IMAP4, username: str, token: str) -> Response:
    # A server that refuses the token sends its reason as a challenge, and waits for an empty line, which the library never sends.
    protocol = client.protocol
    protocol._continuation = lambda _challenge: protocol.send("")  # noqa: SLF001 - the library has no hook for challenges
    try:
        return await client.xoauth2(username, token)
    finally:
        del protocol._continuation  # noqa: SLF001 - as above


class _errors:  # noqa: N801 - reads as a statement
    """Turns every error of the library and of the connection into `ImapError`."""

    def __init__(self, step: str) -> None:
        self._step = step

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: object) -> None:
        if isinstance(error, ImapError | TokenUnavailableError):
            return
        if isinstance(error, AioImapException | OSError | TimeoutError | ValueError | RecursionError | RuntimeError):
            raise ImapError(f"{self._step}: {type(error).__name__}") from error


def _set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))


def _messages(response: Response) -> list[list[bytes]]:
    """The lines of each message of a FETCH response; literals are bytearrays."""
    messages: list[list[bytes]] = []
    for line in response.lines[:-1]:
        if isinstance(line, bytes) and _FETCH.match(line):
            messages.append([line])
        elif messages:
            messages[-1].append(line)
    return messages


def _text(lines: Sequence[bytes]) -> bytes:
    """The server's own lines: a mail's bytes may read like a response."""
    return b" ".join(line for line in lines if not isinstance(line, bytearray))


def _stored(lines: Sequence[bytes]) -> StoredMail | None:
    text = _text(lines)
    uid, size = _UID.search(text), _SIZE.search(text)
    if uid is None or size is None:
        return None
    return StoredMail(int(uid[1]), int(size[1]), _internal_date(text))


def _internal_date(text: bytes) -> datetime | None:
    match = _INTERNAL_DATE.search(text)
    if match is None:
        return None
    try:
        return datetime.strptime(match[1].decode("ascii").strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _contents(response: Response) -> list[tuple[int, bytes]]:
    contents: list[tuple[int, bytes]] = []
    for lines in _messages(response):
        uid = _UID.search(_text(lines))
        content = next((bytes(line) for line in lines if isinstance(line, bytearray)), None)
        if content is None and (text := _QUOTED_BODY.search(_text(lines))) is not None:
            content = _ESCAPED.sub(rb"\1", text[1])
        if uid is not None and content is not None:
            contents.append((int(uid[1]), content))
    return contents
