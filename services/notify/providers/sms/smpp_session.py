"""One bound SMPP connection: requests and responses by sequence number, a window, enquire_link, and receipts.

smpp34 has a client too, but its threads outlive the interpreter and abort the process at exit, and it acknowledges a receipt before
we have stored it (ADR 59).
"""

import asyncio
import itertools
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from services.notify.providers.sms import smpp_pdu
from services.notify.providers.sms.smpp_pdu import Pdu, SmppProtocolError
from shared.runtime.process.failures import is_infrastructure, redacted_reason

log = structlog.get_logger(__name__)
HandleDelivery = Callable[[Pdu], Awaitable[int]]
"""Records the receipt of a deliver_sm and returns the status of the response; infrastructure errors may be raised."""
_MAX_SEQUENCE = 0x7FFFFFFF
_UNBIND_SECONDS = 1.0
_DELIVERIES_AT_ONCE = 20


class SmppClosedError(ConnectionError):
    """The connection ended before the response."""


class SmppBindError(Exception):
    """The SMSC refused the bind; `status` is its command_status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"bind refused with status 0x{status:x}")
        self.status = status


@dataclass(frozen=True, slots=True)
class SmppOptions:
    """The address, the credentials and the limits of a connection."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    window: int = 10
    enquire_link: float = 30.0
    timeout: float = 10.0
    tls: ssl.SSLContext | None = None


class SmppSession:
    """`await SmppSession.bind(options, handle)`; then `request`; `closed` is set when the connection has ended."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, options: SmppOptions, handle: HandleDelivery) -> None:
        self.closed = asyncio.Event()
        self._reader = reader
        self._writer = writer
        self._options = options
        self._handle = handle
        self._numbers = itertools.cycle(range(1, _MAX_SEQUENCE))
        self._pending: dict[int, asyncio.Future[Pdu]] = {}
        self._window = asyncio.Semaphore(options.window)
        self._deliveries = asyncio.Semaphore(_DELIVERIES_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def bind(cls, options: SmppOptions, handle: HandleDelivery) -> "SmppSession":
        """Connect and bind; raises `OSError`, `SmppBindError`, `SmppProtocolError` or `TimeoutError`."""
        reader, writer = await asyncio.open_connection(options.host, options.port, ssl=options.tls)
        session = cls(reader, writer, options, handle)
        session._start(session._read())
        try:
            await session._bind()
        except BaseException:
            await session.close()
            raise
        session._start(session._enquire())
        return session

    async def _bind(self) -> None:
        options = self._options
        response = await self.request(lambda number: smpp_pdu.encode_bind(number, options.system_id, options.password, options.system_type))
        if response.status != smpp_pdu.OK:
            raise SmppBindError(response.status)

    async def request(self, encode: Callable[[int], bytes], sent: Callable[[], None] | None = None) -> Pdu:
        """Send a request and wait for its response, at most as many at once as the window holds.

        `sent` is called when the octets are handed to the connection: from then on the peer may have the request.
        Raises `SmppClosedError`; the caller limits the time.
        """
        async with self._window:
            if self.closed.is_set():
                raise SmppClosedError
            number = next(self._numbers)
            response: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
            self._pending[number] = response
            try:
                octets = encode(number)
                if sent is not None:
                    sent()
                self._writer.write(octets)
                await self._writer.drain()
                return await response
            finally:
                self._pending.pop(number, None)

    async def unbind(self) -> None:
        """Send unbind, then close."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_UNBIND_SECONDS):
                await self.request(lambda number: smpp_pdu.encode_pdu(smpp_pdu.UNBIND, number))
        await self.close()

    async def close(self) -> None:
        """Close the connection; requests without a response end with `SmppClosedError`."""
        self._end()
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        with suppress(OSError):
            await self._writer.wait_closed()

    def _end(self) -> None:
        self.closed.set()
        self._writer.close()
        for response in self._pending.values():
            if not response.done():
                response.set_exception(SmppClosedError())

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("SMPP session failed", host=self._options.host, reason=redacted_reason(error))

    async def _read(self) -> None:
        try:
            while True:
                header = await self._reader.readexactly(smpp_pdu.HEADER_LENGTH)
                rest = await self._reader.readexactly(smpp_pdu.pdu_length(header) - smpp_pdu.HEADER_LENGTH)
                if not await self._dispatch(smpp_pdu.decode_pdu(header + rest)):
                    break
        except (OSError, asyncio.IncompleteReadError, SmppProtocolError):
            pass  # requests that wait for a response end with `SmppClosedError`
        finally:
            self._end()

    async def _dispatch(self, pdu: Pdu) -> bool:
        """Handle a PDU; returns False after unbind, which ends the session."""
        if pdu.is_response:
            response = self._pending.get(pdu.sequence)
            if response is not None and not response.done():
                response.set_result(pdu)
        elif pdu.command == smpp_pdu.DELIVER_SM:
            # In a task of its own: a slow database must not delay the responses that the reader takes. Their number is bounded.
            if self._deliveries.locked():
                await self._respond(pdu, smpp_pdu.TEMPORARY_APPLICATION_ERROR, b"\0")
            else:
                await self._deliveries.acquire()
                self._start(self._deliver(pdu))
        elif pdu.command in (smpp_pdu.ENQUIRE_LINK, smpp_pdu.UNBIND):
            await self._respond(pdu, smpp_pdu.OK)
            return pdu.command != smpp_pdu.UNBIND
        else:
            self._writer.write(smpp_pdu.encode_pdu(smpp_pdu.GENERIC_NACK, pdu.sequence, status=smpp_pdu.INVALID_COMMAND))
        return True

    async def _deliver(self, pdu: Pdu) -> None:
        try:
            await self._respond(pdu, await self._record(pdu), b"\0")
        finally:
            self._deliveries.release()

    async def _record(self, pdu: Pdu) -> int:
        """Record a receipt; the status lets the SMSC repeat it after an infrastructure error, but not after a fault of ours."""
        try:
            return await self._handle(pdu)
        except Exception as error:
            if not is_infrastructure(error):
                await self._respond(pdu, smpp_pdu.PERMANENT_APPLICATION_ERROR, b"\0")
                raise
            log.warning("receipt not recorded", host=self._options.host, reason=redacted_reason(error))
            return smpp_pdu.TEMPORARY_APPLICATION_ERROR

    async def _respond(self, pdu: Pdu, status: int, body: bytes = b"") -> None:
        with suppress(OSError):
            self._writer.write(smpp_pdu.encode_pdu(pdu.command | smpp_pdu.RESPONSE, pdu.sequence, status=status, body=body))
            await self._writer.drain()

    async def _enquire(self) -> None:
        """Send enquire_link in intervals: firewalls drop idle connections silently."""
        with suppress(OSError, TimeoutError):
            while True:
                await asyncio.sleep(self._options.enquire_link)
                async with asyncio.timeout(self._options.timeout):
                    await self.request(lambda number: smpp_pdu.encode_pdu(smpp_pdu.ENQUIRE_LINK, number))
        self._end()
